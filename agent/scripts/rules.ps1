# Sync rules with scope filters, joins and flows.
function Format-ScopeFilter($Groups) {
    $rows = New-Object -TypeName System.Collections.ArrayList
    foreach ($group in @($Groups)) {
        if ($null -eq $group) { continue }
        $conditions = New-Object -TypeName System.Collections.ArrayList
        foreach ($condition in @($group.ScopeConditionList)) {
            if ($null -eq $condition) { continue }
            [void]$conditions.Add([ordered]@{
                Attribute = Format-Text $condition.Attribute
                ComparisonValue = Format-Text $condition.ComparisonValue
                ComparisonOperator = Format-Text $condition.ComparisonOperator
            })
        }
        [void]$rows.Add([ordered]@{ ScopeConditionList = $conditions.ToArray() })
    }
    return , $rows.ToArray()
}

function Format-JoinFilter($Groups) {
    $rows = New-Object -TypeName System.Collections.ArrayList
    foreach ($group in @($Groups)) {
        if ($null -eq $group) { continue }
        $conditions = New-Object -TypeName System.Collections.ArrayList
        foreach ($condition in @($group.JoinConditionList)) {
            if ($null -eq $condition) { continue }
            [void]$conditions.Add([ordered]@{
                CSAttribute = Format-Text $condition.CSAttribute
                MVAttribute = Format-Text $condition.MVAttribute
                CaseSensitive = [bool]$condition.CaseSensitive
            })
        }
        [void]$rows.Add([ordered]@{ JoinConditionList = $conditions.ToArray(); JoinHash = Format-Text $group.JoinHash })
    }
    return , $rows.ToArray()
}

function Format-Flow($Mappings) {
    $rows = New-Object -TypeName System.Collections.ArrayList
    foreach ($mapping in @($Mappings)) {
        if ($null -eq $mapping) { continue }
        [void]$rows.Add([ordered]@{
            Source = Format-Texts $mapping.Source
            Destination = Format-Text $mapping.Destination
            FlowType = Format-Text $mapping.FlowType
            ExecuteOnce = [bool]$mapping.ExecuteOnce
            Expression = Format-Text $mapping.Expression
            ValueMergeType = Format-Text $mapping.ValueMergeType
        })
    }
    return , $rows.ToArray()
}

function Format-ImmutableTag($Tag) {
    if ($null -eq $Tag) { return $null }
    return [ordered]@{
        TagValue = Format-Text $Tag.TagValue
        VersionAgnosticTag = Format-Text $Tag.VersionAgnosticTag
        TagVersion = $Tag.TagVersion
        IsStandardTag = [bool]$Tag.IsStandardTag
        IsLegacyCustomTag = [bool]$Tag.IsLegacyCustomTag
    }
}

function Read-Rules($Arguments) {
    Use-Connect
    foreach ($rule in @(Get-ADSyncRule)) {
        if ($null -eq $rule) { continue }
        [ordered]@{
            Identifier = Format-Text $rule.Identifier
            InternalId = Format-Text $rule.InternalId
            Name = Format-Text $rule.Name
            Version = $rule.Version
            Description = Limit-Text $rule.Description
            ImmutableTag = Format-ImmutableTag $rule.ImmutableTag
            Connector = Format-Text $rule.Connector
            Direction = Format-Text $rule.Direction
            Disabled = [bool]$rule.Disabled
            SourceObjectType = Format-Text $rule.SourceObjectType
            TargetObjectType = Format-Text $rule.TargetObjectType
            Precedence = [int]$rule.Precedence
            PrecedenceAfter = Format-Text $rule.PrecedenceAfter
            PrecedenceBefore = Format-Text $rule.PrecedenceBefore
            LinkType = Format-Text $rule.LinkType
            EnablePasswordSync = [bool]$rule.EnablePasswordSync
            JoinFilter = Format-JoinFilter $rule.JoinFilter
            ScopeFilter = Format-ScopeFilter $rule.ScopeFilter
            AttributeFlowMappings = Format-Flow $rule.AttributeFlowMappings
            SoftDeleteExpiryInterval = Format-Span $rule.SoftDeleteExpiryInterval
            SourceNamespaceId = Format-Text $rule.SourceNamespaceId
            TargetNamespaceId = Format-Text $rule.TargetNamespaceId
            VersionAgnosticTag = Format-Text $rule.VersionAgnosticTag
            TagVersion = $rule.TagVersion
            IsStandardRule = [bool]$rule.IsStandardRule
            IsLegacyCustomRule = [bool]$rule.IsLegacyCustomRule
            JoinHash = Format-Text $rule.JoinHash
        }
    }
}
