# Password hash sync: the state of every domain, and whether it is on for the connector to a forest.
function Read-PasswordSync($Arguments) {
    Use-Connect
    foreach ($state in @(Get-ADSyncPartitionPasswordSyncState)) {
        if ($null -eq $state) { continue }
        [ordered]@{
            Kind = 'Partition'
            ConnectorId = Format-Text $state.ConnectorId
            DN = Format-Text $state.DN
            PasswordSyncLastSuccessfulCycleStartTimestamp = Format-Instant $state.PasswordSyncLastSuccessfulCycleStartTimestamp
            PasswordSyncLastSuccessfulCycleEndTimestamp = Format-Instant $state.PasswordSyncLastSuccessfulCycleEndTimestamp
            PasswordSyncLastCycleStartTimestamp = Format-Instant $state.PasswordSyncLastCycleStartTimestamp
            PasswordSyncLastCycleEndTimestamp = Format-Instant $state.PasswordSyncLastCycleEndTimestamp
            PasswordSyncLastCycleStatus = Format-Text $state.PasswordSyncLastCycleStatus
        }
    }
    foreach ($connector in @(Get-ConnectorName)) {
        if ($connector.Type -ne 'AD') { continue }
        try {
            foreach ($configuration in @(Get-ADSyncAADPasswordSyncConfiguration -SourceConnector $connector.Name)) {
                if ($null -eq $configuration) { continue }
                [ordered]@{
                    Kind = 'Configuration'
                    SourceConnector = Format-Text $configuration.SourceConnector
                    TargetConnector = Format-Text $configuration.TargetConnector
                    Enabled = [bool]$configuration.Enabled
                }
            }
        } catch {
            Add-Failure $_ $connector.Name
        }
    }
}
