# Which events leave the server. The same number means different things per provider, so provider
# and id are always looked at together. Ranges hold their first and last id.
$directorySyncIds = @(
    @(104, 106), @(109, 109), @(114, 117), @(601, 623), @(650, 657), @(660, 667), @(904, 906), @(1011, 1014)
)
$engineIds = @(
    @(2001, 2005), @(6000, 6077), @(6100, 6128), @(6201, 6231), @(6300, 6332), @(6601, 6603), @(6803, 6803),
    @(6900, 6900), @(6916, 6916), @(6920, 6920), @(6941, 6951)
)
$serviceControlIds = @(@(7000, 7000), @(7009, 7009), @(7031, 7031), @(7034, 7034), @(7036, 7036))
$everyId = @(, @(0, 65535))

# Written so often that they are counted here instead. 656 and 657 name users as well.
$countedIds = @(104, 105, 117, 656, 657)
$userIds = @(656, 657)

$connectProviders = "Provider[@Name='Directory Synchronization' or @Name='ADSync' or @Name='Entra Connect Admin Actions' or @Name='Azure AD Connect Upgrade']"
$serviceControlFilter = "Provider[@Name='Service Control Manager'] and (EventID=7000 or EventID=7009 or EventID=7031 or EventID=7034 or EventID=7036)"
# Which ids these channels have is not published: whatever is a warning or worse.
$seriousFilter = '(Level=1 or Level=2 or Level=3)'

$eventSources = @(
    @{
        Log = 'Application'
        Filter = $connectProviders
        Ids = @{
            'Directory Synchronization' = $directorySyncIds
            'ADSync' = $engineIds
            'Entra Connect Admin Actions' = $everyId
            'Azure AD Connect Upgrade' = $everyId
        }
    },
    @{ Log = 'System'; Filter = $serviceControlFilter; Ids = @{ 'Service Control Manager' = $serviceControlIds } },
    @{ Log = 'Microsoft-AzureADConnect-ProvisioningAgent/Admin'; Filter = $seriousFilter; Ids = $null },
    @{ Log = 'Microsoft-AzureADConnect-AgentUpdater/Admin'; Filter = $seriousFilter; Ids = $null },
    @{ Log = 'Microsoft-AzureADConnect-AuthenticationAgent/Admin'; Filter = $seriousFilter; Ids = $null }
)

# Events of the Service Control Manager name a service as people see it.
$shownServiceNames = @(
    'Microsoft Azure AD Sync', 'Microsoft Entra ID Sync', 'Microsoft Azure AD Connect Agent Updater',
    'Microsoft Entra Connect Agent Updater', 'Microsoft Entra Connect Health Agent',
    'Microsoft Azure AD Connect Authentication Agent', 'Microsoft Azure AD Connect Provisioning Agent',
    'Microsoft Entra Provisioning Agent'
)

function Get-WatchedServiceName {
    $names = @{}
    foreach ($name in $serviceNames + $shownServiceNames) { $names[$name] = $true }
    foreach ($service in @(Get-Service -Name $serviceNames -ErrorAction SilentlyContinue)) {
        if ($null -ne $service) { $names[[string]$service.DisplayName] = $true }
    }
    return $names
}

# Whether an event is one of those that leave.
function Test-Event($Source, $Record, $Services) {
    if ($null -eq $Source.Ids) { return $true }
    $ranges = $Source.Ids[[string]$Record.ProviderName]
    if ($null -eq $ranges) { return $false }
    foreach ($range in $ranges) {
        if ($Record.Id -ge $range[0] -and $Record.Id -le $range[1]) {
            if ($Source.Log -ne 'System') { return $true }
            return @($Record.Properties | Where-Object { $Services.ContainsKey([string]$_.Value) }).Count -gt 0
        }
    }
    return $false
}
