//! What went wrong, in one line that says what to do.

use std::error::Error;

use super::Kind;

/// A sentence for the person, and the exit code for the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) sentence: String,
    pub(crate) code: u8,
    /// What the API server answered, where it did: 404, 422.
    pub(crate) status: Option<u16>,
}

/// What was asked of whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) server: &'a str,
    pub(super) namespace: &'a str,
    pub(super) verb: &'static str,
    pub(super) kind: Option<Kind>,
    pub(super) name: &'a str,
}

impl<'a> Asked<'a> {
    pub(super) fn server(server: &'a str) -> Self {
        Self { server, namespace: "", verb: "", kind: None, name: "" }
    }
}

impl Problem {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), code: 1, status: None }
    }

    /// A wrong command line, which clap could not see.
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(sentence) }
    }

    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Whether it may be over soon: nobody answered, or somebody who is not well.
    pub(crate) fn is_passing(&self) -> bool {
        self.status.is_none_or(|status| status == 429 || status >= 500)
    }

    pub(super) fn of(error: &kube::Error, asked: &Asked<'_>) -> Self {
        match error {
            kube::Error::Api(refused) => {
                let named = refused.details.as_ref().is_some_and(|details| !details.name.is_empty());
                let sentence = refusal(refused.code, &refused.message, named, asked);
                Self { status: Some(refused.code), ..Self::new(sentence) }
            }
            kube::Error::Auth(_) => Self::new(format!(
                "the login of the kubeconfig fails: {}; sign in again, or name another --user or --token",
                deepest(error)
            )),
            kube::Error::SerdeError(_) => Self::new(format!(
                "{} answers with something that is no Kubernetes object: {}",
                asked.server,
                deepest(error)
            )),
            _ => Self::new(format!(
                "can't reach the cluster at {}: {}; check that it runs and is the one you mean (--context, --kubeconfig)",
                asked.server,
                deepest(error)
            )),
        }
    }
}

fn refusal(code: u16, message: &str, named: bool, asked: &Asked<'_>) -> String {
    let Asked { server, namespace, verb, kind, name } = *asked;
    let Some(kind) = kind else { return one_line(message) };
    let (plural, group) = (kind.plural, kind.group);
    match code {
        401 => format!("{server} doesn't know who you are; sign in again, or name another --user or --token"),
        403 => {
            let place = if namespace.is_empty() { String::new() } else { format!(" in namespace {namespace}") };
            format!(
                "you may not {verb} {plural}{place}: {}; ask for that right, or name another --user",
                one_line(message)
            )
        }
        404 if !name.is_empty() && (named || message.contains(name)) => format!(
            "{} not found in namespace {namespace}; \"list {plural} -n {namespace}\" shows what is there, -A all namespaces",
            kind.named(name)
        ),
        404 if group == "argoproj.io" => format!(
            "the cluster at {server} doesn't know {plural}.{group}; install the CRDs first: \
             kubectl apply -f helm/sluice/crds"
        ),
        409 if verb == "create" => {
            format!("{} is there already; change it with kubectl apply", kind.named(name))
        }
        _ => one_line(message),
    }
}

/// The cause that all others are about.
fn deepest(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    one_line(&cause.to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_next_moment_may_mend_is_known() {
        for (status, expected) in
            [(None, true), (Some(503), true), (Some(429), true), (Some(404), false), (Some(403), false)]
        {
            assert_eq!(Problem { status, ..Problem::new("it went wrong") }.is_passing(), expected, "{status:?}");
        }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let asked =
            |name| Asked { server: "https://c", namespace: "shop", verb: "get", kind: Some(Kind::ROLLOUT), name };
        // (code, message, the object is named, name → what is said)
        let rows = [
            (
                404,
                "rollouts.argoproj.io \"web\" not found",
                true,
                "web",
                "rollout.argoproj.io/web not found in namespace shop",
            ),
            (404, "the server could not find the requested resource", false, "web", "install the CRDs first"),
            (404, "404 page not found", false, "", "doesn't know rollouts.argoproj.io"),
            (
                403,
                "User \"anna\"\ncannot get",
                true,
                "web",
                "you may not get rollouts in namespace shop: User \"anna\" cannot get",
            ),
            (401, "Unauthorized", false, "web", "https://c doesn't know who you are; sign in again"),
            (500, "etcd\nis away", false, "web", "etcd is away"),
        ];
        for (code, message, named, name, expected) in rows {
            let said = refusal(code, message, named, &asked(name));
            assert!(said.contains(expected) && !said.contains('\n'), "{said}");
        }
    }
}
