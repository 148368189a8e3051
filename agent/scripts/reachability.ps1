# Which domains can be reached, asked per connector to a forest.
function Read-Reachability($Arguments) {
    Use-Connect
    foreach ($connector in @(Get-ConnectorName)) {
        if ($connector.Type -ne 'AD') { continue }
        try {
            foreach ($status in @(Get-ADSyncDomainReachabilityStatus -ConnectorName $connector.Name)) {
                if ($null -eq $status) { continue }
                [ordered]@{
                    FullName = Format-Text $status.FullName
                    IsReachable = [bool]$status.IsReachable
                    ExceptionMessage = Limit-Text $status.ExceptionMessage
                }
            }
        } catch {
            Add-Failure $_ $connector.Name
        }
    }
}
