//! Small sets of facts, each a few bits.

use std::fmt;

macro_rules! flags {
    ($(#[$doc:meta])* $set:ident { $($(#[$flag_doc:meta])* $flag:ident = $bit:literal, $name:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
        pub struct $set(u8);

        impl $set {
            $($(#[$flag_doc])* pub const $flag: $set = $set(1 << $bit);)*
            /// None of them.
            pub const NONE: $set = $set(0);
            /// All of them.
            pub const ALL: $set = $set($(1 << $bit)|*);

            const NAMES: &'static [($set, &'static str)] = &[$(($set::$flag, $name)),*];

            /// Those in either set.
            #[must_use]
            pub const fn or(self, other: $set) -> $set {
                $set(self.0 | other.0)
            }

            /// Those of this set that are not in the other one.
            #[must_use]
            pub const fn without(self, other: $set) -> $set {
                $set(self.0 & !other.0)
            }

            /// Whether all of another set are in this one.
            pub const fn has(self, other: $set) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether some of another set are in this one.
            pub const fn has_any(self, other: $set) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether there are none.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The names, in a fixed order.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
            }

            /// The one with this name.
            pub fn of_name(name: &str) -> Option<$set> {
                Self::NAMES.iter().find(|(_, known)| *known == name).map(|(flag, _)| *flag)
            }
        }

        /// The names, with `+` between them.
        impl fmt::Display for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (at, name) in self.names().enumerate() {
                    write!(f, "{}{name}", if at > 0 { "+" } else { "" })?;
                }
                Ok(())
            }
        }

        impl fmt::Debug for $set {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{{{self}}}")
            }
        }
    };
}

flags! {
    /// Why a result can be empty.
    Conditions {
        /// There is no such series.
        DATA = 0, "data";
        /// A comparison dropped it.
        VALUE = 1, "value";
        /// `and` or `unless` dropped it.
        MEMBER = 2, "member";
        /// It was matched with something that is conditional itself.
        JOIN = 3, "join";
        /// It is the result of `absent`, and there is something.
        ABSENCE = 4, "absence";
    }
}

impl Conditions {
    /// Whether a state of the world decides about presence, and not just whether it is known.
    pub fn is_conditional(self) -> bool {
        !self.without(Conditions::DATA).is_empty()
    }
}

flags! {
    /// What was assumed. Nothing assumed is: proven, for any content of a database.
    Basis {
        /// Series that were scraped have the labels `job` and `instance`.
        TARGET_LABELS = 0, "target-labels";
        /// The end of a name says what kind of metric it is.
        SUFFIX_KINDS = 1, "suffix-kinds";
        /// Sizes, durations and numbers of things are not negative.
        NONNEGATIVE_SIZES = 2, "nonnegative-sizes";
        /// What a counter function is applied to is a counter.
        COUNTER_FUNCTIONS = 3, "counter-functions";
        /// The configured rules are the only ones that record a name.
        CLOSED_WORLD = 4, "closed-world";
        /// The configured interval between scrapes.
        SCRAPE_INTERVAL = 5, "scrape-interval";
        /// Metadata of a server or a file said so: an observation rather than an assumption.
        METADATA = 6, "metadata";
    }
}

flags! {
    /// How the evaluation of a part can fail.
    Failures {
        /// Several elements match where only one may.
        MATCHING = 0, "matching";
        /// Two elements have the same labels.
        SAME_LABELS = 1, "same-labels";
        /// A parameter has a value that it can't have.
        PARAMETER = 2, "parameter";
        /// A duration is computed, and can come out as none.
        DURATION = 3, "duration";
    }
}
