# Connect's scheduler.
function Read-Scheduler($Arguments) {
    Use-Connect
    foreach ($scheduler in @(Get-ADSyncScheduler)) {
        if ($null -eq $scheduler) { continue }
        [ordered]@{
            AllowedSyncCycleInterval = Format-Span $scheduler.AllowedSyncCycleInterval
            CurrentlyEffectiveSyncCycleInterval = Format-Span $scheduler.CurrentlyEffectiveSyncCycleInterval
            CustomizedSyncCycleInterval = Format-Span $scheduler.CustomizedSyncCycleInterval
            NextSyncCyclePolicyType = Format-Text $scheduler.NextSyncCyclePolicyType
            # In UTC, as its name says.
            NextSyncCycleStartTimeInUTC = Format-UtcReading $scheduler.NextSyncCycleStartTimeInUTC
            PurgeRunHistoryInterval = Format-Span $scheduler.PurgeRunHistoryInterval
            SyncCycleEnabled = [bool]$scheduler.SyncCycleEnabled
            MaintenanceEnabled = [bool]$scheduler.MaintenanceEnabled
            StagingModeEnabled = [bool]$scheduler.StagingModeEnabled
            SchedulerSuspended = [bool]$scheduler.SchedulerSuspended
            SyncCycleInProgress = [bool]$scheduler.SyncCycleInProgress
        }
    }
}
