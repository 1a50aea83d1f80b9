//! What exit codes say, of all verbs that ask a cluster. A wrong command line is 2, which clap says.

/// It is as it was asked for.
pub(crate) const DONE: u8 = 0;
/// The release failed or was aborted.
pub(crate) const FAILED: u8 = 3;
/// The time was up.
pub(crate) const TIMEOUT: u8 = 4;
/// It waits for a person.
pub(crate) const WAITS_FOR_PERSON: u8 = 5;
/// An analysis could not tell, and a person has to.
pub(crate) const INCONCLUSIVE: u8 = 6;
