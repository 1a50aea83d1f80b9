//! Requests through a router that find out whether a weight is in force, where the router itself can't say.

/// What is to be found out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// Address that goes through the router.
    pub url: String,
    /// Header of the answers that holds the pod template hash of the pod that answered.
    pub header: String,
    /// How many requests are sent.
    pub requests: u32,
    /// The pod template hash of the new revision.
    pub version: String,
    /// The weight that it is to have.
    pub weight: i64,
    /// The weight that means all traffic.
    pub total: i64,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// Requests that were answered with the header.
    pub answers: u32,
    /// Those of them that the new revision answered.
    pub of_new: u32,
    /// Why requests had no such answer, if any had none.
    pub problem: Option<String>,
    /// When the last answer came.
    pub at: jiff::Timestamp,
}
