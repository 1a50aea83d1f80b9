//! The same templates with the real controller, on the real control plane.

use std::collections::BTreeMap;

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use sluice_e2e::release::{Behaviour, Exporter};
use sluice_e2e::scenario::{Account, Controller, Reach};
use sluice_e2e::{Kind, Namespace, crds, in_namespace};

use super::{WINDOW, file_of, scraping};

/// A namespace in which a controller works.
async fn controlled(purpose: &str, test: impl AsyncFnOnce(&Namespace) -> Result<()>) -> Result<()> {
    in_namespace(purpose, async |namespace| {
        crds::install(&namespace.cluster.client).await?;
        let controller = Controller::start(&namespace.name, Reach::Namespace, Account::Admin)?;
        if let Err(problem) = test(namespace).await {
            bail!("{problem:#}\n{}", controller.last_words());
        }
        controller.stop().await
    })
    .await
}

/// A template that nobody has to wait for: it measures every second.
fn hurried(template: &str) -> Result<Value> {
    let mut template: Value = serde_saphyr::from_str(&std::fs::read_to_string(file_of(template))?)?;
    for metric in template["spec"]["metrics"].as_array_mut().into_iter().flatten() {
        metric["initialDelay"] = "1s".into();
        metric["interval"] = "1s".into();
    }
    Ok(template)
}

fn args(release: &str, prometheus: &str) -> [Value; 4] {
    [("namespace", release), ("service", "web"), ("prometheus", prometheus), ("window", WINDOW)]
        .map(|(name, value)| json!({"name": name, "value": value}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_stand_alone_come_to_their_verdicts() -> Result<()> {
    let rows = [
        ("success-rate", "healthy", "Successful"),
        ("success-rate", "errors", "Failed"),
        ("success-rate", "little-traffic", "Inconclusive"),
        ("database", "healthy", "Successful"),
        ("database", "exhausted-pool", "Failed"),
        ("frontend", "healthy", "Successful"),
        ("frontend", "errors", "Failed"),
        ("pods", "healthy", "Successful"),
        ("pods", "crashing", "Failed"),
        ("post-promotion", "healthy", "Successful"),
        ("post-promotion", "errors", "Failed"),
    ];
    let releases = BTreeMap::from([
        ("healthy", Exporter::start(Behaviour::HEALTHY).await?),
        ("errors", Exporter::start(Behaviour::ERRORS).await?),
        ("little-traffic", Exporter::start(Behaviour::LITTLE_TRAFFIC).await?),
        ("exhausted-pool", Exporter::start(Behaviour::EXHAUSTED_POOL).await?),
        ("crashing", Exporter::start(Behaviour::CRASHING).await?),
    ]);
    controlled("runs", async |namespace| {
        let prometheus = scraping(&releases).await?;
        for (template, release, _) in rows {
            let mut run = hurried(template)?;
            run["metadata"]["name"] = format!("{template}-{release}").into();
            let own = run["spec"]["args"].as_array().cloned().unwrap_or_default();
            let given = args(release, &prometheus.url());
            let others = own.into_iter().filter(|own| given.iter().all(|given| given["name"] != own["name"]));
            run["spec"]["args"] = given.iter().cloned().chain(others).collect();
            namespace.create_from(Kind::ANALYSIS_RUN, &run.to_string()).await?;
        }
        for (template, release, verdict) in rows {
            let name = format!("{template}-{release}");
            let run = (Kind::ANALYSIS_RUN, name.as_str());
            namespace.wait_for(run, verdict, |run| is(&run["status"]["phase"], verdict, &run["status"])).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_is_promoted_by_good_measurements_and_taken_back_by_bad_ones() -> Result<()> {
    let releases = BTreeMap::from([("shop", Exporter::start(Behaviour::HEALTHY).await?)]);
    controlled("canary", async |namespace| {
        let prometheus = scraping(&releases).await?;
        namespace.create_from(Kind::ANALYSIS_TEMPLATE, &hurried("success-rate")?.to_string()).await?;
        let analysis =
            json!({"templates": [{"templateName": "success-rate"}], "args": args("shop", &prometheus.url())});
        let steps = json!([{"setWeight": 50}, {"analysis": analysis}]);
        create_rollout(namespace, &json!({"canary": {"steps": steps}})).await?;
        let rollout = wait_for_phase(namespace, "Healthy", 1).await?;
        let first = rollout["status"]["stableRS"].clone();

        set_image(namespace, "web:2").await?;
        let rollout = wait_for_phase(namespace, "Healthy", 2).await?;
        let second = rollout["status"]["stableRS"].clone();
        ensure!(second != first, "the second version was not promoted: {}", rollout["status"]);

        releases["shop"].turn(Behaviour::ONLY_ERRORS);
        set_image(namespace, "web:3").await?;
        let rollout = wait_for_phase(namespace, "Degraded", 3).await?;
        let message = rollout["status"]["message"].as_str().unwrap_or_default();
        ensure!(message.contains("assessed Failed due to failed (2) > failureLimit (1)"), "{message}");
        ensure!(rollout["status"]["stableRS"] == second, "{}", rollout["status"]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_version_that_turns_bad_gives_the_active_service_back() -> Result<()> {
    let releases = BTreeMap::from([("shop", Exporter::start(Behaviour::HEALTHY).await?)]);
    controlled("watch", async |namespace| {
        let prometheus = scraping(&releases).await?;
        namespace.create_from(Kind::ANALYSIS_TEMPLATE, &hurried("post-promotion")?.to_string()).await?;
        let service = "metadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}";
        namespace.create_from(Kind::SERVICE, service).await?;
        let analysis =
            json!({"templates": [{"templateName": "post-promotion"}], "args": args("shop", &prometheus.url())});
        let strategy = json!({"blueGreen": {"activeService": "web", "postPromotionAnalysis": analysis}});
        create_rollout(namespace, &strategy).await?;
        wait_for_phase(namespace, "Healthy", 1).await?;
        let active = active_of(&namespace.get(Kind::SERVICE, "web").await?);

        set_image(namespace, "web:2").await?;
        let promoted = "the active Service points at the second version";
        namespace
            .wait_for((Kind::SERVICE, "web"), promoted, |service| {
                ensure!(active_of(service) != active, "it is at {active}");
                Ok(())
            })
            .await?;
        releases["shop"].turn(Behaviour::ONLY_ERRORS);
        let rollout = wait_for_phase(namespace, "Degraded", 2).await?;
        let message = rollout["status"]["message"].as_str().unwrap_or_default();
        ensure!(message.contains("consecutiveFailures (3) reached consecutiveFailureLimit (3)"), "{message}");
        namespace
            .wait_for((Kind::SERVICE, "web"), "the active Service is back", |service| {
                is(&active_of(service), active.as_str().unwrap_or_default(), &service["spec"])
            })
            .await?;
        Ok(())
    })
    .await
}

async fn create_rollout(namespace: &Namespace, strategy: &Value) -> Result<()> {
    let rollout = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": 2, "strategy": strategy, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    });
    namespace.create_from(Kind::ROLLOUT, &rollout.to_string()).await?;
    Ok(())
}

async fn set_image(namespace: &Namespace, image: &str) -> Result<()> {
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}});
    namespace.patch(Kind::ROLLOUT, "web", &patch).await?;
    Ok(())
}

/// The phase of this revision, spoken of the spec as it is now.
async fn wait_for_phase(namespace: &Namespace, phase: &str, revision: u64) -> Result<Value> {
    let what = format!("revision {revision} is {phase}");
    namespace
        .wait_for((Kind::ROLLOUT, "web"), &what, |rollout| {
            let (status, metadata) = (&rollout["status"], &rollout["metadata"]);
            is(&status["observedGeneration"], &metadata["generation"].to_string(), status)?;
            is(&metadata["annotations"]["rollout.argoproj.io/revision"], &revision.to_string(), status)?;
            is(&status["phase"], phase, status)
        })
        .await
}

fn active_of(service: &Value) -> Value {
    service["spec"]["selector"]["rollouts-pod-template-hash"].clone()
}

fn is(found: &Value, expected: &str, story: &Value) -> Result<()> {
    ensure!(found == expected, "{found} instead of {expected}: {story}");
    Ok(())
}
