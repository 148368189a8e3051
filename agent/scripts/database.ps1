# Size and kind of Connect's database.
function Read-Database($Arguments) {
    Use-Connect
    foreach ($database in @(Get-ADSyncDatabaseConfiguration)) {
        if ($null -eq $database) { continue }
        [ordered]@{
            IsLocalDBInstalled = [bool]$database.IsLocalDBInstalled
            UsedSpaceInMb = [double]$database.UsedSpaceInMb
            SqlServerName = Format-Text $database.SqlServerName
            SqlServerInstanceName = Format-Text $database.SqlServerInstanceName
            SqlServerDBName = Format-Text $database.SqlServerDBName
            SqlFullVersion = Format-Text $database.SqlFullVersion
            SqlProductVersion = Format-Text $database.SqlProductVersion
            SqlEdition = Format-Text $database.SqlEdition
        }
    }
}
