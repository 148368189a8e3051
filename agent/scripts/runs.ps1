# Run history, the newest first, with the counters and errors of every step.
$exportCounters = @('ExportAdd', 'ExportUpdate', 'ExportRename', 'ExportDelete', 'ExportDeleteAdd', 'ExportFailure')
# Most of these are 0 in most steps, and left out then.
$otherCounters = @(
    'StageNoChange', 'StageAdd', 'StageUpdate', 'StageRename', 'StageDelete', 'StageDeleteAdd', 'StageFailure',
    'DisconnectorFiltered', 'DisconnectorJoinedNoFlow', 'DisconnectorJoinedFlow', 'DisconnectorJoinedRemoveMv',
    'DisconnectorProjectedNoFlow', 'DisconnectorProjectedFlow', 'DisconnectorProjectedRemoveMv', 'DisconnectorRemains',
    'ConnectorFilteredRemoveMv', 'ConnectorFilteredLeaveMv', 'ConnectorFlow', 'ConnectorFlowRemoveMv', 'ConnectorNoFlow',
    'ConnectorDeleteRemoveMv', 'ConnectorDeleteLeaveMv', 'ConnectorDeleteAddProcessed', 'FlowFailure'
)
$mostErrorsOfStep = 25

# One error of an object. Who it is stays on the server unless names of users may leave.
function Format-ObjectError($Item, $UserNames) {
    $row = [ordered]@{
        CsGuid = Format-Text $Item.CsGuid
        MvGuid = Format-Text $Item.MvGuid
        FirstOccurred = Format-Instant $Item.FirstOccurred
        RetryCount = $Item.RetryCount
        DateOccurred = Format-Instant $Item.DateOccurred
        ErrorType = Format-Text $Item.ErrorType
        AlgorithmStep = Format-Text $Item.AlgorithmStep
    }
    if ($UserNames) {
        $row['ObjectDisplayName'] = Format-Text $Item.ObjectDisplayName
        $row['ObjectDn'] = Format-Text $Item.ObjectDn
    }
    return $row
}

# The list of a holder of errors; what it holds beside, compressed bytes among it, is left out.
function Format-ErrorList($List, $UserNames) {
    $rows = New-Object -TypeName System.Collections.ArrayList
    foreach ($item in @($List)) {
        if ($null -eq $item) { continue }
        if ($rows.Count -ge $mostErrorsOfStep) { break }
        [void]$rows.Add((Format-ObjectError $item $UserNames))
    }
    return , $rows.ToArray()
}

function Format-RunStep($Step, $UserNames) {
    $row = [ordered]@{
        RunHistoryId = Format-Text $Step.RunHistoryId
        StepHistoryId = Format-Text $Step.StepHistoryId
        StepNumber = [int]$Step.StepNumber
        StepResult = Format-Text $Step.StepResult
        StartDate = Format-UtcReading $Step.StartDate
        EndDate = Format-UtcReading $Step.EndDate
    }
    foreach ($name in $exportCounters) { $row[$name] = [int]$Step.$name }
    foreach ($name in $otherCounters) {
        if ([int]$Step.$name -ne 0) { $row[$name] = [int]$Step.$name }
    }
    $row['ConnectorConnectionInformationXml'] = Limit-Text $Step.ConnectorConnectionInformationXml
    $row['StepXml'] = Limit-Text $Step.StepXml
    $row['ConnectorDiscoveryErrors'] = [ordered]@{
        ConnectorDiscoveryErrorsList = Format-ErrorList $Step.ConnectorDiscoveryErrors.ConnectorDiscoveryErrorsList $UserNames
    }
    $row['SyncErrors'] = [ordered]@{
        SyncErrorsList = Format-ErrorList $Step.SyncErrors.SyncErrorsList $UserNames
    }
    $row['MvRetryErrors'] = [ordered]@{
        MvRetryErrorsList = Format-ErrorList $Step.MvRetryErrors.MvRetryErrorsList $UserNames
    }
    return $row
}

function Read-Runs($Arguments) {
    Use-Connect
    # Without -RunStepDetails a run comes without its steps.
    foreach ($run in @(Get-ADSyncRunProfileResult -NumberRequested ([int]$Arguments.most) -RunStepDetails)) {
        if ($null -eq $run) { continue }
        $steps = New-Object -TypeName System.Collections.ArrayList
        foreach ($step in @($run.RunStepResults)) {
            if ($null -ne $step) { [void]$steps.Add((Format-RunStep $step ([bool]$Arguments.userNames))) }
        }
        [ordered]@{
            RunHistoryId = Format-Text $run.RunHistoryId
            ConnectorId = Format-Text $run.ConnectorId
            ConnectorName = Format-Text $run.ConnectorName
            RunProfileId = Format-Text $run.RunProfileId
            RunProfileName = Format-Text $run.RunProfileName
            RunNumber = [int]$run.RunNumber
            Username = Format-Text $run.Username
            IsRunComplete = [bool]$run.IsRunComplete
            Result = Format-Text $run.Result
            CurrentStepNumber = [int]$run.CurrentStepNumber
            TotalSteps = [int]$run.TotalSteps
            # Readings in UTC without a kind: left alone they would be taken for local time.
            StartDate = Format-UtcReading $run.StartDate
            EndDate = Format-UtcReading $run.EndDate
            RunStepResults = $steps.ToArray()
        }
    }
}
