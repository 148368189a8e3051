# Connectors that are busy. The cmdlet prints nothing while all are idle.
function Read-ConnectorStatus($Arguments) {
    Use-Connect
    foreach ($status in @(Get-ADSyncConnectorRunStatus)) {
        if ($null -eq $status) { continue }
        [ordered]@{
            RunState = Format-Text $status.RunState
            ConnectorName = Format-Text $status.ConnectorName
        }
    }
}
