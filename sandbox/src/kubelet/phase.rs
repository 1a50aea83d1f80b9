//! The pod's phase, from its containers.

use super::memory::{ContainerMemory, PodMemory};
use super::plan::{PodPlan, Restart, Role};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Pending,
    Running,
    Succeeded,
    Failed,
}

impl Phase {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }

    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

pub(super) fn of(plan: &PodPlan, memory: &PodMemory) -> Phase {
    let stops = memory.stopping.is_some() || memory.ended.is_some();
    if (stops || work_is_over(plan, memory)) && !memory.has_living_container() {
        let succeeded = of_role(plan, memory, Role::Main).all(ContainerMemory::succeeded);
        return if succeeded && memory.ended.is_none() { Phase::Succeeded } else { Phase::Failed };
    }
    if of_role(plan, memory, Role::Main).all(ContainerMemory::has_run) { Phase::Running } else { Phase::Pending }
}

/// No main container runs or will run again.
pub(super) fn work_is_over(plan: &PodPlan, memory: &PodMemory) -> bool {
    let init_failed = plan.restart == Restart::Never
        && of_role(plan, memory, Role::Init).any(|container| container.is_over() && !container.succeeded());
    init_failed || of_role(plan, memory, Role::Main).all(ContainerMemory::is_over)
}

fn of_role<'a>(plan: &'a PodPlan, memory: &'a PodMemory, role: Role) -> impl Iterator<Item = &'a ContainerMemory> {
    plan.containers
        .iter()
        .filter(move |container| container.role == role)
        .filter_map(|container| memory.containers.get(&container.name))
}
