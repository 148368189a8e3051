# Containers that Cloud Sync configurations name, looked up in the directory itself: no tools have
# to be installed for it. What cannot be looked up is left out, and said.
#
# Names come from outside. They are parts of addresses, never of this text, and no server is asked
# but those of the server's own forest and of domains it trusts: a made-up name must not lead the
# agent to sign in somewhere else.
$noSuchObject = -2147016656

function Get-KnownDomain {
    $now = [DateTime]::UtcNow
    if ($null -ne $memory.Domains -and ($now - $memory.DomainsAt).Duration().TotalMinutes -lt 60) { return $memory.Domains }
    $names = New-Object -TypeName System.Collections.ArrayList
    $forest = [System.DirectoryServices.ActiveDirectory.Forest]::GetCurrentForest()
    foreach ($domain in $forest.Domains) {
        [void]$names.Add([string]$domain.Name)
        try {
            foreach ($trust in $domain.GetAllTrustRelationships()) { [void]$names.Add([string]$trust.TargetName) }
        } catch { $Error.Clear() }
    }
    try {
        foreach ($trust in $forest.GetAllTrustRelationships()) { [void]$names.Add([string]$trust.TargetName) }
    } catch { $Error.Clear() }
    $memory.Domains = $names.ToArray()
    $memory.DomainsAt = $now
    return $memory.Domains
}

# DNS name of the domain that a distinguished name lies in, when it is one that may be asked.
function Get-DomainOfName($Dn) {
    if ($Dn -notmatch '^[A-Za-z][A-Za-z0-9-]*=') { throw 'this is not a distinguished name' }
    $labels = @([regex]::Matches($Dn, '(?i)(?:^|(?<!\\),)\s*DC=([A-Za-z0-9_-]+)') | ForEach-Object { $_.Groups[1].Value })
    $name = $labels -join '.'
    foreach ($known in @(Get-KnownDomain)) {
        if ($name -eq $known -or $name.EndsWith('.' + $known, [StringComparison]::OrdinalIgnoreCase)) { return $name }
    }
    throw 'its domain is neither of this forest nor trusted by it'
}

function Get-DirectoryEntry($Domain, $Dn) {
    # A slash would end the name within an address.
    $path = 'LDAP://' + $Domain + '/' + ($Dn -replace '(?<!\\)/', '\/')
    return New-Object -TypeName System.DirectoryServices.DirectoryEntry -ArgumentList $path
}

# The id of what is there, or nothing.
function Find-ByName($Domain, $Dn) {
    $entry = Get-DirectoryEntry $Domain $Dn
    try {
        $entry.RefreshCache([string[]]@('objectGUID'))
        $octets = [byte[]]$entry.Properties['objectGUID'].Value
        return (New-Object -TypeName System.Guid -ArgumentList (, $octets)).ToString()
    } catch {
        if (@(Get-Cause $_ | Where-Object { $_.HResult -eq $noSuchObject }).Count -gt 0) { return $null }
        throw
    } finally {
        $entry.Dispose()
    }
}

# Where the object with this id is now within its domain. The filter holds hexadecimal digits alone.
function Find-ById($Domain, $Id) {
    $octets = -join (([Guid]$Id).ToByteArray() | ForEach-Object { '\' + $_.ToString('x2', $invariant) })
    $entry = Get-DirectoryEntry $Domain ('DC=' + ($Domain -replace '\.', ',DC='))
    $searcher = New-Object -TypeName System.DirectoryServices.DirectorySearcher -ArgumentList $entry
    try {
        $searcher.Filter = '(objectGUID=' + $octets + ')'
        $searcher.SearchScope = [System.DirectoryServices.SearchScope]::Subtree
        $searcher.ReferralChasing = [System.DirectoryServices.ReferralChasingOption]::None
        [void]$searcher.PropertiesToLoad.Add('distinguishedName')
        $found = $searcher.FindOne()
        if ($null -eq $found) { return $null }
        return Format-Text $found.Properties['distinguishedname'][0]
    } finally {
        $searcher.Dispose()
        $entry.Dispose()
    }
}

function Read-Containers($Arguments) {
    foreach ($wanted in @($Arguments.containers)) {
        if ($null -eq $wanted) { continue }
        $dn = [string]$wanted.DistinguishedName
        $known = [Guid]::Empty
        $hasId = [Guid]::TryParse([string]$wanted.ObjectGuid, [ref]$known)
        try {
            $domain = Get-DomainOfName $dn
            $id = Find-ByName $domain $dn
            $exists = $null -ne $id
            $moved = $null
            if (-not $exists -and $hasId) {
                $id = $known.ToString()
                $moved = Find-ById $domain $known
            }
            [ordered]@{ DistinguishedName = $dn; Exists = $exists; ObjectGuid = $id; MovedTo = $moved }
        } catch {
            Add-Failure $_ $dn
        }
    }
}
