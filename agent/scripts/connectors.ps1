# Connectors with their partitions and container filters. Everything is named: what the cmdlet
# prints beside holds the connectors' secrets, and those never leave.
function Format-Partition($Partition) {
    $scope = $Partition.ConnectorPartitionScope
    $narrowed = $null
    if ($null -ne $scope) {
        $narrowed = [ordered]@{
            IsDefault = [bool]$scope.IsDefault
            ObjectClasses = Format-Texts $scope.ObjectClasses
            ContainerInclusionList = Format-Texts $scope.ContainerInclusionList
            ContainerExclusionList = Format-Texts $scope.ContainerExclusionList
        }
    }
    return [ordered]@{
        Identifier = Format-Text $Partition.Identifier
        DN = Format-Text $Partition.DN
        Name = Format-Text $Partition.Name
        Version = $Partition.Version
        CreationTime = Format-Instant $Partition.CreationTime
        LastModificationTime = Format-Instant $Partition.LastModificationTime
        Selected = [bool]$Partition.Selected
        IsDomain = [bool]$Partition.IsDomain
        PreferredDCs = Format-Texts $Partition.PreferredDCs
        ConnectorPartitionScope = $narrowed
    }
}

function Read-Connectors($Arguments) {
    Use-Connect
    $found = @(Get-ADSyncConnector | Select-Object -Property Name, Identifier, Type, Subtype, ConnectorTypeName, Version, CreationTime, LastModificationTime, ObjectInclusionList, AttributeInclusionList, Partitions)
    foreach ($connector in $found) {
        if ($null -eq $connector) { continue }
        $partitions = New-Object -TypeName System.Collections.ArrayList
        foreach ($partition in @($connector.Partitions)) {
            if ($null -ne $partition) { [void]$partitions.Add((Format-Partition $partition)) }
        }
        [ordered]@{
            Name = Format-Text $connector.Name
            Identifier = Format-Text $connector.Identifier
            Type = Format-Text $connector.Type
            Subtype = Format-Text $connector.Subtype
            ConnectorTypeName = Format-Text $connector.ConnectorTypeName
            Version = $connector.Version
            CreationTime = Format-Instant $connector.CreationTime
            LastModificationTime = Format-Instant $connector.LastModificationTime
            ObjectInclusionList = Format-Texts $connector.ObjectInclusionList
            AttributeInclusionList = Format-Texts $connector.AttributeInclusionList
            Partitions = $partitions.ToArray()
        }
    }
}
