# What every section needs. Windows PowerShell 5.1; plain ASCII; nothing here changes the server.
#
# The agent sends this text with the sections and the loop as one block (see src/powershell/script.rs).
# Lines that hold nothing are left out on the way, so no text may depend on one.
$ErrorActionPreference = 'Stop'
$WarningPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'
$InformationPreference = 'SilentlyContinue'
$ConfirmPreference = 'None'
# Numbers and dates are written the same way whatever the server speaks.
$invariant = [System.Globalization.CultureInfo]::InvariantCulture
[System.Threading.Thread]::CurrentThread.CurrentCulture = $invariant
# With its type data an array may be written as an object with "value" and "Count".
Remove-TypeData -TypeName System.Array -ErrorAction SilentlyContinue

$utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
# Refused where the process has no console; answers go through a writer of their own anyway.
try { [Console]::OutputEncoding = $utf8 } catch { $Error.Clear() }
$answers = New-Object -TypeName System.IO.StreamWriter -ArgumentList ([Console]::OpenStandardOutput()), $utf8
$answers.NewLine = "`n"
$answers.AutoFlush = $true
$requests = New-Object -TypeName System.IO.StreamReader -ArgumentList ([Console]::OpenStandardInput()), $utf8

# What is remembered between requests.
$memory = @{ Loaded = $false; Connectors = @(); ConnectorsAt = $null; Domains = $null; DomainsAt = $null; Bookmarks = @{} }
# What went wrong while a section was read.
$failures = New-Object -TypeName System.Collections.ArrayList

$connectKey = 'HKLM:\SYSTEM\CurrentControlSet\Services\ADSync'
$longestText = 4000
$longestAnswer = 15000000

# An instant that is read off a clock in UTC, whatever its kind says. Year 1 stands for "never".
function Format-UtcReading($Value) {
    if ($null -eq $Value) { return $null }
    $at = [DateTime]$Value
    if ($at.Year -le 1601) { return $null }
    return [DateTime]::SpecifyKind($at, [DateTimeKind]::Utc).ToString('o', $invariant)
}

# An instant in local time.
function Format-Local($Value) {
    if ($null -eq $Value) { return $null }
    return ([DateTime]$Value).ToUniversalTime().ToString('o', $invariant)
}

# An instant whose kind is not known: local only if it says so.
function Format-Instant($Value) {
    if ($null -eq $Value) { return $null }
    if (([DateTime]$Value).Kind -eq [DateTimeKind]::Local) { return Format-Local $Value }
    return Format-UtcReading $Value
}

function Format-Span($Value) {
    if ($null -eq $Value) { return $null }
    return ([TimeSpan]$Value).ToString('c', $invariant)
}

# Members of enumerations become their names, identifiers their plain form.
function Format-Text($Value) {
    if ($null -eq $Value) { return $null }
    return [string]$Value
}

# A long text keeps its end: events carry there which domain and connector they are about.
function Limit-Text($Value) {
    $text = Format-Text $Value
    if ($null -eq $text -or $text.Length -le $longestText) { return $text }
    $kept = [int]($longestText / 2)
    return $text.Substring(0, $kept) + ' ... ' + $text.Substring($text.Length - $kept)
}

# A list that stays one, with no element and with one.
function Format-Texts($Value) {
    $texts = New-Object -TypeName System.Collections.ArrayList
    foreach ($item in @($Value)) {
        if ($null -ne $item) { [void]$texts.Add([string]$item) }
    }
    return , $texts.ToArray()
}

# There is nothing of the kind on this server: not a failure.
function Stop-Absent($What) {
    $reason = New-Object -TypeName System.InvalidOperationException -ArgumentList "$What is not installed on this server"
    throw (New-Object -TypeName System.Management.Automation.ErrorRecord -ArgumentList $reason, 'SyncwatchAbsent', 'ObjectNotFound', $null)
}

# The exceptions behind an error: what a method threw is wrapped, often more than once.
function Get-Cause($Record) {
    $inner = $Record.Exception
    $depth = 0
    while ($null -ne $inner -and $depth -lt 6) {
        $inner
        $inner = $inner.InnerException
        $depth++
    }
}

# What is known of an error; texts may be in any language, so identifiers and types go along.
function Add-Failure($Record, $Step) {
    $causes = @(Get-Cause $Record)
    [void]$failures.Add([ordered]@{
        Step = Format-Text $Step
        ErrorId = Format-Text $Record.FullyQualifiedErrorId
        Category = Format-Text $Record.CategoryInfo.Category
        Types = @($causes | ForEach-Object { $_.GetType().FullName })
        Codes = @($causes | ForEach-Object { [int]$_.HResult })
        Message = Limit-Text $Record.Exception.Message
    })
}

# Loads Connect's module once; it takes seconds.
function Use-Connect {
    if ($memory.Loaded) { return }
    if (-not (Test-Path -LiteralPath $connectKey)) { Stop-Absent 'Connect Sync' }
    if ($null -eq (Get-Module -Name ADSync)) {
        if (@(Get-Module -ListAvailable -Name ADSync).Count -eq 0) { Stop-Absent 'The module ADSync' }
        Import-Module -Name ADSync -DisableNameChecking
    }
    $memory.Loaded = $true
}

# Names and ids of the connectors, and nothing else of them: the cmdlet prints tens of megabytes,
# secrets among them, so it is asked every quarter of an hour only.
function Get-ConnectorName {
    $now = [DateTime]::UtcNow
    $at = $memory.ConnectorsAt
    if ($null -eq $at -or ($now - $at).TotalMinutes -ge 15 -or $at -gt $now) {
        $memory.Connectors = @(Get-ADSyncConnector | ForEach-Object {
            [pscustomobject]@{ Name = [string]$_.Name; Id = [string]$_.Identifier; Type = [string]$_.Type }
        })
        $memory.ConnectorsAt = $now
    }
    return $memory.Connectors
}

# The program behind a service, and its product version.
function Get-ProgramVersion($Service) {
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Services\' + $Service
    if (-not (Test-Path -LiteralPath $key)) { return $null }
    $command = [Environment]::ExpandEnvironmentVariables([string](Get-ItemProperty -LiteralPath $key).ImagePath)
    if ($command -notmatch '^\s*"?(?<program>[^"]+?\.exe)') { return $null }
    $version = Format-Text (Get-Item -LiteralPath $Matches['program']).VersionInfo.ProductVersion
    # Some builds write words behind the numbers.
    if ($version -notmatch '^\s*(?<numbers>\d+(\.\d+){1,3})') { return $null }
    return $Matches['numbers']
}
