//! What 10,000 active metrics cost a controller: a process of its own, which asks a Prometheus and writes each run's
//! status each ten seconds.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use sluice_sandbox::api::access::User;
use sluice_sandbox::api::request::Request;
use sluice_sandbox::doors::{Clock, Door, HttpsDoor};

use crate::figure::Figure;
use crate::fleet::{ask, server};
use crate::process::{Folder, Running};

const RUNS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns";
const TOKEN: &str = "for-the-benchmark-only";
const RUNS_ACTIVE: usize = 2_000;
const METRICS: usize = 5;
/// Until each metric has as many measurements as are kept of it.
const WARM_UP: Duration = Duration::from_secs(120);
/// Until the controller leads and has its watches.
const AT_REST: Duration = Duration::from_secs(10);
const WATCHED: Duration = Duration::from_secs(30);

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let prometheus = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", prometheus.local_addr()?);
    std::thread::spawn(move || {
        prometheus.incoming().flatten().for_each(|line| drop(std::thread::spawn(|| answer(line))));
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let door = server(&[], Clock::wall())?;
        door.with_world(|world, _| world.add_token(TOKEN, User::admin()));
        let https = HttpsDoor::open(door.clone(), 0).await?;
        let folder = Folder::create()?;
        let kubeconfig = folder.0.join("kubeconfig");
        std::fs::write(&kubeconfig, https.kubeconfig(TOKEN))?;
        let more = ["--prometheus-address", &address, "--qps", "2000", "--burst", "2000"];
        let controller = Running::start(&kubeconfig, &more)?;
        tokio::time::sleep(AT_REST).await;
        let at_rest = controller.memory("VmRSS:")?;
        for number in 0..RUNS_ACTIVE {
            ask(&door, Request::post(RUNS, &run(number)))?;
        }
        tokio::time::sleep(WARM_UP).await;
        let (cpu, before) = (controller.cpu()?, measured(&door)?);
        tokio::time::sleep(WATCHED).await;
        let used = controller.cpu()?.saturating_sub(cpu);
        let per_second = (measured(&door)? - before) as f64 / WATCHED.as_secs_f64();
        ensure!(per_second > 900.0, "only {per_second} measurements a second: something else was measured");
        let resident = controller.memory("VmRSS:")?;
        let figures = vec![
            Figure::new("10,000 active metrics, resident, all of the process", resident, "MB"),
            Figure::new("beyond the same process without any", resident - at_rest, "MB").at_most(100.0),
            Figure::new("measurements a second", per_second, ""),
            Figure::new(
                "of one core, HTTP and API writes included",
                used.as_secs_f64() / WATCHED.as_secs_f64() * 100.0,
                "%",
            ),
        ];
        drop(controller);
        https.close().await;
        Ok(figures)
    })
}

fn run(number: usize) -> Value {
    let metric = |metric: usize| {
        json!({
            "name": format!("errors-{metric}"), "interval": "10s", "successCondition": "result[0] >= 0.95",
            "provider": {"prometheus": {"query": format!("sum(rate(requests{{shop=\"{{{{args.shop}}}}\"}}[{}m]))", metric + 1)}},
        })
    };
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun", "metadata": {"name": format!("run-{number}")},
        "spec": {
            "args": [{"name": "shop", "value": format!("shop-{}", number % 100)}],
            "metrics": (0..METRICS).map(metric).collect::<Vec<_>>(),
        },
    })
}

/// How many measurements are in all statuses.
fn measured(door: &Door) -> anyhow::Result<i64> {
    let runs = ask(door, Request::get(RUNS))?;
    let runs = runs["items"].as_array().context("a list")?;
    let results = runs.iter().filter_map(|run| run["status"]["metricResults"].as_array()).flatten();
    Ok(results.filter_map(|result| result["count"].as_i64()).sum())
}

/// A Prometheus that always says the same.
fn answer(line: TcpStream) {
    let body =
        r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1767225600,"0.97"]}]}}"#;
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
    let Ok(mut writer) = line.try_clone() else { return };
    let mut reader = BufReader::new(line);
    loop {
        let mut body_length = 0;
        loop {
            let mut header = String::new();
            match reader.read_line(&mut header) {
                Ok(0) | Err(_) => return,
                Ok(_) if header == "\r\n" => break,
                Ok(_) => {
                    let header = header.to_ascii_lowercase();
                    let length = header.strip_prefix("content-length:").and_then(|text| text.trim().parse().ok());
                    body_length = length.unwrap_or(body_length);
                }
            }
        }
        let mut question = vec![0; body_length];
        if reader.read_exact(&mut question).is_err() || writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
