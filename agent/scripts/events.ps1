# Events since the last one that was read, per log, the oldest first.
#
# The event log is asked through its own reader: it goes on at a bookmark without searching the
# whole log, takes a provider that is not installed for one that wrote nothing, and returns nothing
# where Get-WinEvent reports the error NoMatchingEventsFound.
function New-LogReader($Log, $Filter, $Newest) {
    $kind = [System.Diagnostics.Eventing.Reader.PathType]::LogName
    $query = New-Object -TypeName System.Diagnostics.Eventing.Reader.EventLogQuery -ArgumentList $Log, $kind, $Filter
    $query.ReverseDirection = [bool]$Newest
    return New-Object -TypeName System.Diagnostics.Eventing.Reader.EventLogReader -ArgumentList $query
}

# The newest or oldest record of a log, whoever wrote it.
function Get-EdgeRecord($Log, $Newest) {
    $reader = New-LogReader $Log '*' $Newest
    try { return $reader.ReadEvent() } finally { $reader.Dispose() }
}

function Format-Event($Record) {
    $message = $null
    # Missing where the program that wrote the event was removed.
    try { $message = $Record.FormatDescription() } catch { $Error.Clear() }
    $texts = Format-Texts @($Record.Properties | ForEach-Object { Limit-Text $_.Value })
    if ([string]::IsNullOrEmpty($message)) { $message = $texts -join ' ' }
    return [ordered]@{
        LogName = Format-Text $Record.LogName
        ProviderName = Format-Text $Record.ProviderName
        Id = [int]$Record.Id
        Level = [int]$Record.Level
        RecordId = [long]$Record.RecordId
        TimeCreated = Format-Local $Record.TimeCreated
        Message = Limit-Text $message
        Properties = $texts
    }
}

function Add-Count($Counts, $Record) {
    $key = [string]$Record.ProviderName + '/' + $Record.Id
    $at = Format-Local $Record.TimeCreated
    if (-not $Counts.Contains($key)) {
        $Counts[$key] = [ordered]@{
            Kind = 'Count'; LogName = Format-Text $Record.LogName; ProviderName = Format-Text $Record.ProviderName
            Id = [int]$Record.Id; Count = 0; FirstAt = $at; LastAt = $at
        }
    }
    $Counts[$key]['Count']++
    $Counts[$key]['LastAt'] = $at
}

# Opens a log behind a record. Within this process the position itself is remembered; otherwise the
# log is searched once. Without a record it begins some time ago.
function Open-Log($Source, $After, $Hours) {
    $kept = $memory.Bookmarks[$Source.Log]
    if ($After -gt 0 -and $null -ne $kept -and $kept.RecordId -eq $After) {
        $reader = New-LogReader $Source.Log ('*[System[' + $Source.Filter + ']]') $false
        try {
            # To the record itself: it may be one that the filter leaves out, and then the nearest one counts.
            $reader.Seek($kept.Position, 0)
            return $reader
        } catch {
            $reader.Dispose()
        }
    }
    $since = 'EventRecordID > ' + ([long]$After).ToString($invariant)
    if ($After -le 0) {
        $since = 'TimeCreated[timediff(@SystemTime) <= ' + ([long]$Hours * 3600000).ToString($invariant) + ']'
    }
    return New-LogReader $Source.Log ('*[System[' + $Source.Filter + ' and ' + $since + ']]') $false
}

# Where reading goes on: nothing remembered of this log, or what came after it is gone, or all of it.
function Resolve-Start($Log, $Bookmark, $Oldest, $Newest) {
    $start = @{ After = [long]0; Gap = $null }
    if ($null -eq $Bookmark) { return $start }
    $start.After = [long]$Bookmark.RecordId
    $wasCleared = $Newest.RecordId -lt $start.After
    if (-not $wasCleared -and $Bookmark.TimeCreated -and $Oldest.RecordId -le $start.After) {
        # The record of the bookmark would still be there, yet even the oldest one is younger.
        $at = [DateTime]::Parse([string]$Bookmark.TimeCreated, $invariant, [System.Globalization.DateTimeStyles]::AdjustToUniversal)
        $wasCleared = $Oldest.TimeCreated.ToUniversalTime() -gt $at.AddSeconds(1)
    }
    if ($wasCleared -or $Oldest.RecordId -gt $start.After + 1) {
        $start.Gap = [ordered]@{
            Kind = 'Gap'; LogName = $Log; BookmarkRecordId = $start.After
            OldestRecordId = [long]$Oldest.RecordId; OldestAt = Format-Local $Oldest.TimeCreated
        }
        # One before the oldest: nothing that is left is passed over.
        $start.After = [long]$Oldest.RecordId - 1
    }
    return $start
}

function Read-Log($Source, $Bookmark, $Room, $Arguments, $Services) {
    $log = $Source.Log
    $newest = Get-EdgeRecord $log $true
    if ($null -eq $newest) { return }
    $start = Resolve-Start $log $Bookmark (Get-EdgeRecord $log $false) $newest
    if ($null -ne $start.Gap) { $start.Gap }
    $counts = [ordered]@{}
    $last = $null
    $more = $false
    $reader = Open-Log $Source $start.After $Arguments.hours
    try {
        while ($null -ne ($record = $reader.ReadEvent())) {
            if ($record.RecordId -le $start.After) { $record.Dispose(); continue }
            if ($null -ne $last) { $last.Dispose() }
            $last = $record
            if (-not (Test-Event $Source $record $Services)) { continue }
            $hidden = $userIds -contains $record.Id -and -not $Arguments.userNames
            if ($record.ProviderName -eq 'Directory Synchronization' -and $countedIds -contains $record.Id -and ($hidden -or $userIds -notcontains $record.Id)) {
                Add-Count $counts $record
                continue
            }
            Format-Event $record
            $Room--
            if ($Room -le 0) { $more = $true; break }
        }
    } finally {
        $reader.Dispose()
    }
    foreach ($count in $counts.Values) { $count }
    # With nothing left to read the bookmark follows the log, so that a log which turns over without
    # events of ours has no gap.
    if ($null -eq $last -or (-not $more -and $newest.RecordId -gt $last.RecordId)) { $last = $newest }
    $memory.Bookmarks[$log] = @{ RecordId = [long]$last.RecordId; Position = $last.Bookmark }
    [ordered]@{
        Kind = 'Bookmark'; LogName = $log; RecordId = [long]$last.RecordId
        TimeCreated = Format-Local $last.TimeCreated; More = $more
    }
}

function Read-Events($Arguments) {
    $services = Get-WatchedServiceName
    $room = [int]$Arguments.most
    foreach ($source in $eventSources) {
        if ($room -le 0) { break }
        $bookmark = @($Arguments.bookmarks | Where-Object { $_.LogName -eq $source.Log }) | Select-Object -First 1
        try {
            $rows = @(Read-Log $source $bookmark $room $Arguments $services)
        } catch {
            # A log that does not exist belongs to something that is not installed.
            if (@(Get-Cause $_ | Where-Object { $_ -is [System.Diagnostics.Eventing.Reader.EventLogNotFoundException] }).Count -eq 0) {
                Add-Failure $_ $source.Log
            }
            continue
        }
        $room -= @($rows | Where-Object { -not $_.Contains('Kind') }).Count
        $rows
    }
}
