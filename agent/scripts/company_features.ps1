# What the tenant says about Connect's features. The cmdlet asks the cloud.
function Read-CompanyFeatures($Arguments) {
    Use-Connect
    foreach ($features in @(Get-ADSyncAADCompanyFeature)) {
        if ($null -eq $features) { continue }
        [ordered]@{
            PasswordHashSync = $features.PasswordHashSync
            ForcePasswordChangeOnLogOn = $features.ForcePasswordChangeOnLogOn
            UserWriteback = $features.UserWriteback
            DeviceWriteback = $features.DeviceWriteback
            UnifiedGroupWriteback = $features.UnifiedGroupWriteback
            GroupWritebackV2 = $features.GroupWritebackV2
        }
    }
}
