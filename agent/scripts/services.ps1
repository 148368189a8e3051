# Windows services of Connect and the agents, by every name they go by. One that is not there is
# left out: absent is not stopped.
$serviceNames = @(
    'ADSync', 'AzureADConnectAgentUpdater', 'AzureADConnectHealthAgent', 'AzureADConnectHealthSyncInsights',
    'AzureADConnectHealthSyncMonitor', 'AzureADConnectAuthenticationAgent', 'AzureADConnectAuthenticationAgentService',
    'Microsoft Azure AD Connect Authentication Agent', 'AADConnectProvisioningAgent'
)

function Read-Services($Arguments) {
    foreach ($service in @(Get-Service -Name $serviceNames -ErrorAction SilentlyContinue)) {
        if ($null -eq $service) { continue }
        [ordered]@{
            Name = Format-Text $service.Name
            DisplayName = Format-Text $service.DisplayName
            Status = Format-Text $service.Status
            StartType = Format-Text $service.StartType
        }
    }
}
