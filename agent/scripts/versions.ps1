# Versions of what is installed: that of the program behind the service, not of a wizard or an
# installer, which can lag. The pass-through agent goes by several names.
$products = @(
    @('connect', 'ADSync'),
    @('provisioning_agent', 'AADConnectProvisioningAgent'),
    @('updater', 'AzureADConnectAgentUpdater'),
    @('pass_through_agent', 'AzureADConnectAuthenticationAgent'),
    @('pass_through_agent', 'AzureADConnectAuthenticationAgentService'),
    @('pass_through_agent', 'Microsoft Azure AD Connect Authentication Agent')
)

function Read-Versions($Arguments) {
    $seen = @{}
    foreach ($product in $products) {
        if ($seen.ContainsKey($product[0])) { continue }
        try {
            $version = Get-ProgramVersion $product[1]
        } catch {
            Add-Failure $_ $product[0]
            continue
        }
        if ([string]::IsNullOrEmpty($version)) { continue }
        $seen[$product[0]] = $true
        [ordered]@{ Product = $product[0]; Version = $version }
    }
}
