# Global settings with the optional features, as names and values; of the cmdlet's object only the
# groups of parameters that are named here.
$settingGroups = @(
    'Microsoft.Synchronize.', 'Microsoft.OptionalFeature.', 'Microsoft.UserSignIn.', 'Microsoft.SynchronizationOption.',
    'Microsoft.DeviceWriteBack.', 'Microsoft.SystemInformation.', 'Microsoft.Version.'
)

function Read-Settings($Arguments) {
    Use-Connect
    foreach ($parameter in @((Get-ADSyncGlobalSettings).Parameters)) {
        $name = Format-Text $parameter.Name
        if ($null -eq $name) { continue }
        foreach ($group in $settingGroups) {
            if ($name.StartsWith($group, [StringComparison]::OrdinalIgnoreCase)) {
                [ordered]@{ Name = $name; Value = Limit-Text $parameter.Value }
                break
            }
        }
    }
}
