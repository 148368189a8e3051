//! Enumerations of sync rules, with their numbers.

use crate::report::forms::numbered;

numbered! {
    /// Way of a rule.
    Direction {
        /// From the connector space into the metaverse.
        Inbound = 0 "Inbound",
        /// From the metaverse into the connector space.
        Outbound = 1 "Outbound",
    }
}

numbered! {
    /// What a rule does to the link between an object of a connector and one of the metaverse.
    LinkType {
        /// Makes the object.
        Provision = 0 "Provision",
        /// Joins, and holds on to it.
        StickyJoin = 1 "StickyJoin",
        /// Joins.
        Join = 2 "Join",
        /// Joins, but lets nothing flow: no attribute, no new object, no delete.
        JoinNoFlow = 3 "JoinNoFlow",
    }
}

numbered! {
    /// Where the value of a flow comes from.
    FlowType {
        /// From an attribute.
        Direct = 0 "Direct",
        /// It stands in the rule.
        Constant = 1 "Constant",
        /// From an expression.
        Expression = 2 "Expression",
    }
}

numbered! {
    /// What happens to values that are there.
    ValueMergeType {
        /// They are updated.
        Update = 0 "Update",
        /// They are replaced.
        Replace = 1 "Replace",
        /// They are joined by new ones, whatever their case.
        MergeCaseInsensitive = 2 "MergeCaseInsensitive",
        /// They are joined by new ones.
        Merge = 3 "Merge",
    }
}

numbered! {
    /// How a condition of a scope filter compares.
    ComparisonOperator {
        /// The same.
        Equal = 0 "EQUAL",
        /// Not the same.
        NotEqual = 1 "NOTEQUAL",
        /// Less.
        LessThan = 2 "LESSTHAN",
        /// Less or the same.
        LessThanOrEqual = 3 "LESSTHAN_OR_EQUAL",
        /// Holds it.
        Contains = 4 "CONTAINS",
        /// Does not hold it.
        NotContains = 5 "NOTCONTAINS",
        /// Begins with it.
        StartsWith = 6 "STARTSWITH",
        /// Does not begin with it.
        NotStartsWith = 7 "NOTSTARTSWITH",
        /// Ends with it.
        EndsWith = 8 "ENDSWITH",
        /// Does not end with it.
        NotEndsWith = 9 "NOTENDSWITH",
        /// More.
        GreaterThan = 10 "GREATERTHAN",
        /// More or the same.
        GreaterThanOrEqual = 11 "GREATERTHAN_OR_EQUAL",
        /// There is no value.
        IsNull = 12 "ISNULL",
        /// There is a value.
        IsNotNull = 13 "ISNOTNULL",
        /// One of several.
        IsIn = 14 "ISIN",
        /// None of several.
        IsNotIn = 15 "ISNOTIN",
        /// A bit is set.
        IsBitSet = 16 "ISBITSET",
        /// A bit is not set.
        IsBitNotSet = 17 "ISBITNOTSET",
        /// A member of a group.
        IsMemberOf = 18 "ISMEMBEROF",
        /// No member of a group.
        IsNotMemberOf = 19 "ISNOTMEMBEROF",
    }
}
