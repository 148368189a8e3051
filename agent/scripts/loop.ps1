# Answers requests, one line each, until there are none. A request names a section of this table;
# what else it holds is data for that section and is never run.
$readers = @{
    scheduler = 'Read-Scheduler'
    connector_status = 'Read-ConnectorStatus'
    runs = 'Read-Runs'
    password_sync = 'Read-PasswordSync'
    events = 'Read-Events'
    connectors = 'Read-Connectors'
    rules = 'Read-Rules'
    settings = 'Read-Settings'
    company_features = 'Read-CompanyFeatures'
    database = 'Read-Database'
    reachability = 'Read-Reachability'
    services = 'Read-Services'
    versions = 'Read-Versions'
    pending_exports = 'Read-PendingExports'
    containers = 'Read-Containers'
}

function Format-Answer($Id, $Rows) {
    [TimeZoneInfo]::ClearCachedData()
    $now = [DateTime]::UtcNow
    $module = Get-Module -Name ADSync | Select-Object -First 1
    $version = $null
    if ($null -ne $module) { $version = $module.Version.ToString() }
    return ConvertTo-Json -Compress -Depth 10 -InputObject ([ordered]@{
        schema = 1
        id = [long]$Id
        host = [Environment]::MachineName
        collectedAt = $now.ToString('o', $invariant)
        utcOffsetMinutes = [int][TimeZoneInfo]::Local.GetUtcOffset($now).TotalMinutes
        psVersion = $PSVersionTable.PSVersion.ToString()
        moduleVersion = $version
        data = $Rows.ToArray()
        errors = $failures.ToArray()
    })
}

function Send-Answer($Id, $Rows) {
    try {
        $json = Format-Answer $Id $Rows
        if ($utf8.GetByteCount($json) -gt $longestAnswer) { throw 'the answer is too long' }
    } catch {
        Add-Failure $_ 'answer'
        $Rows.Clear()
        $json = Format-Answer $Id $Rows
    }
    $answers.WriteLine($json)
}

# The first line says that the whole of this text has arrived and runs.
$rows = New-Object -TypeName System.Collections.ArrayList
Send-Answer 0 $rows
while ($null -ne ($line = $requests.ReadLine())) {
    $id = -1
    $rows.Clear()
    $failures.Clear()
    $Error.Clear()
    try {
        $request = ConvertFrom-Json -InputObject $line
        $id = [long]$request.id
        $reader = $readers[[string]$request.section]
        if ($null -eq $reader) { throw 'there is no section of this name' }
        # What commands say beside their output would spoil the answers.
        $found = @(& $reader $request.arguments 3>$null 4>$null 5>$null 6>$null)
        foreach ($row in $found) { [void]$rows.Add($row) }
    } catch {
        Add-Failure $_ 'section'
    }
    Send-Answer $id $rows
}
