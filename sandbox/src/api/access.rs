//! Who asks: tokens, users and impersonation.

use std::collections::BTreeMap;

use super::rbac::Bindings;
use super::request::Request;
use super::status::{Answer, Status};

/// Somebody who may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub groups: Vec<String>,
    pub extra: BTreeMap<String, Vec<String>>,
}

/// Members of this group may do everything.
pub const MASTERS: &str = "system:masters";

const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";

impl User {
    /// Whoever set the cluster up.
    pub fn admin() -> Self {
        Self::named("admin", &[MASTERS])
    }

    /// A user in the given groups, beside the one that all authenticated users are in.
    pub fn named(name: &str, groups: &[&str]) -> Self {
        let mut groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        groups.push(AUTHENTICATED.to_owned());
        Self { name: name.to_owned(), groups, extra: BTreeMap::new() }
    }

    /// A service account, in the groups that it has by itself.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let of_namespace = format!("system:serviceaccounts:{namespace}");
        Self::named(&format!("system:serviceaccount:{namespace}:{name}"), &["system:serviceaccounts", &of_namespace])
    }

    fn anonymous() -> Self {
        Self { name: "system:anonymous".into(), groups: vec![UNAUTHENTICATED.to_owned()], extra: BTreeMap::new() }
    }

    /// Whether rules don't bind this user.
    pub fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }
}

/// The tokens that the server knows.
#[derive(Debug, Clone, Default)]
pub struct Access {
    tokens: BTreeMap<String, User>,
    pub(crate) bindings: Bindings,
}

impl Access {
    /// From now on this token proves that user.
    pub(crate) fn add_token(&mut self, token: &str, user: User) {
        self.tokens.insert(token.to_owned(), user);
    }

    /// Who asks, before impersonation. No token means anonymous, a wrong one is refused.
    pub(crate) fn authenticate(&self, request: &Request) -> Answer<User> {
        if let Some(user) = &request.user {
            return Ok(user.clone());
        }
        let Some(header) = request.header("authorization") else {
            return Ok(User::anonymous());
        };
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        token.and_then(|token| self.tokens.get(token)).cloned().ok_or_else(Status::unauthorized)
    }
}
