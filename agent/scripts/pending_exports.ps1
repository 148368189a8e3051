# What waits to be exported, per connector. The cmdlet does not say whose numbers it prints.
function Read-PendingExports($Arguments) {
    Use-Connect
    foreach ($connector in @(Get-ConnectorName)) {
        try {
            foreach ($statistics in @(Get-ADSyncConnectorStatistics -ConnectorName $connector.Name)) {
                if ($null -eq $statistics) { continue }
                [ordered]@{
                    ConnectorName = $connector.Name
                    ConnectorId = $connector.Id
                    ExportAdds = [long]$statistics.ExportAdds
                    ExportUpdates = [long]$statistics.ExportUpdates
                    ExportDeletes = [long]$statistics.ExportDeletes
                    ImportAdds = [long]$statistics.ImportAdds
                    ImportUpdates = [long]$statistics.ImportUpdates
                    ImportDeletes = [long]$statistics.ImportDeletes
                    ImportNoChange = [long]$statistics.ImportNoChange
                    TotalConnectors = [long]$statistics.TotalConnectors
                }
            }
        } catch {
            Add-Failure $_ $connector.Name
        }
    }
}
