//! What users see of pods on the modelled kubelet, on virtual time: each line of a history is what
//! `kubectl get pod` would show from that moment on.

mod bad_input;
mod crashes;
mod deletion;
mod images;
mod init;
mod life;
mod node;
mod random;
mod readiness;
mod restarts;
mod scripted;
mod status;
mod tasks;
