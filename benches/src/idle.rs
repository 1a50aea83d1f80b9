//! What 1,000 healthy Rollouts cost a controller that has nothing to do: a process of its own, connected by HTTPS.

use std::time::Duration;

use sluice_sandbox::api::access::User;
use sluice_sandbox::doors::{Clock, Door, HttpsDoor};

use crate::figure::Figure;
use crate::fleet::{Model, server, versions};
use crate::process::{Folder, Running};

const ROLLOUTS: usize = 1_000;
const TOKEN: &str = "for-the-benchmark-only";
/// For so long it is watched doing nothing.
const IDLE: Duration = Duration::from_secs(30);

pub(crate) fn measure() -> anyhow::Result<Vec<Figure>> {
    let model = Model::released(3, false)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let door = server(&[(&model, "shop", ROLLOUTS)], Clock::wall())?;
        door.with_world(|world, _| world.add_token(TOKEN, User::admin()));
        let https = HttpsDoor::open(door.clone(), 0).await?;
        let folder = Folder::create()?;
        let kubeconfig = folder.0.join("kubeconfig");
        std::fs::write(&kubeconfig, https.kubeconfig(TOKEN))?;
        let controller = Running::start(&kubeconfig, &[])?;
        settled(&door, &controller).await?;
        let (cpu, version) = (controller.cpu()?, versions(&door)?);
        tokio::time::sleep(IDLE).await;
        let used = controller.cpu()?.saturating_sub(cpu);
        let writes = versions(&door)? - version;
        let resident = controller.memory("VmRSS:")?;
        let figures = vec![
            Figure::new("1,000 idle Rollouts, resident", resident, "MB").at_most(60.0),
            Figure::new("the most that it ever was", controller.memory("VmHWM:")?, "MB"),
            Figure::new("of one core", used.as_secs_f64() / IDLE.as_secs_f64() * 100.0, "%").at_most(1.0),
            Figure::new("writes", writes as f64, "").at_most(0.0),
        ];
        drop(controller);
        https.close().await;
        Ok(figures)
    })
}

/// Waits until the controller leads, has looked at all there is, and rests.
async fn settled(door: &Door, controller: &Running) -> anyhow::Result<()> {
    let (mut version, mut cpu) = (0, Duration::ZERO);
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (version_now, cpu_now) = (versions(door)?, controller.cpu()?);
        let rests = cpu_now.saturating_sub(cpu) < Duration::from_millis(50) && cpu_now > Duration::from_millis(100);
        if version_now == version && rests {
            return Ok(());
        }
        (version, cpu) = (version_now, cpu_now);
    }
    anyhow::bail!("the controller never came to rest")
}
