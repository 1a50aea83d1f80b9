//! What is said about the pods of a Rollout.

use crate::support::{Row, check, one, sentences, set, yaml};

const GOOD: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      volumes:
      - {name: data, emptyDir: {}}
      initContainers:
      - {name: prepare, image: 'busybox:1'}
      containers:
      - name: web
        image: web:1
        ports: [{name: http, containerPort: 8080}]
        env: [{name: MODE, value: fast}]
        volumeMounts: [{name: data, mountPath: /data}]
        resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 128Mi}}
        readinessProbe: {httpGet: {path: /, port: http}}
  strategy: {canary: {}}
";

#[test]
fn containers_and_their_ports() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.template.spec", "~")],
            &["spec.template.spec: is required; write the pod's spec with its containers"],
        ),
        one(&[("spec.template.spec", "{}")], &["spec.template.spec.containers: has no container; write at least one"]),
        one(
            &[("spec.template.spec.containers", "[]")],
            &["spec.template.spec.containers: has no container; write at least one"],
        ),
        one(
            &[("spec.template.spec.containers.0.name", "~")],
            &["spec.template.spec.containers[0].name: is required; name the container, for example web"],
        ),
        one(
            &[("spec.template.spec.containers.0.name", "Web_App")],
            &[
                "spec.template.spec.containers[0].name: \"Web_App\" is not a DNS label; use up to 63 of a-z, 0-9 and \"-\", with a letter or digit at both ends",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.name", "prepare")],
            &["spec.template.spec.containers[0].name: \"prepare\" is the name of another container; name it otherwise"],
        ),
        one(
            &[("spec.template.spec.containers.0.image", "~")],
            &["spec.template.spec.containers[0].image: is required; write one such as registry.example.com/web:1.2"],
        ),
        one(
            &[("spec.template.spec.containers.0.image", "' web:1'")],
            &["spec.template.spec.containers[0].image: \" web:1\" has blanks around it; remove them"],
        ),
        one(
            &[("spec.template.spec.containers.0.image", "{repository: web}")],
            &["spec.template.spec.containers[0].image: {…} is an object, not text; write text"],
        ),
        one(
            &[("spec.template.spec.containers.0.imagePullPolicy", "Sometimes")],
            &[
                "spec.template.spec.containers[0].imagePullPolicy: \"Sometimes\" is not known here; write Always, IfNotPresent or Never",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.ports.0", "{containerPort: 70000}")],
            &["spec.template.spec.containers[0].ports[0].containerPort: 70000 is not a port; write 1 to 65535"],
        ),
        one(
            &[("spec.template.spec.containers.0.ports.0", "{containerPort: '8080'}")],
            &[
                "spec.template.spec.containers[0].ports[0].containerPort: \"8080\" is text, not a whole number; write 8080 without quotes",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.ports.0", "{containerPort: 80, protocol: tcp, name: HTTP}")],
            &[
                "spec.template.spec.containers[0].ports[0].name: \"HTTP\" is not a port name; use up to 15 of a-z, 0-9 and single \"-\", at least one of them a letter, with a letter or digit at both ends",
                "spec.template.spec.containers[0].ports[0].protocol: \"tcp\" is not known here; write TCP, UDP or SCTP",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.ports",
                "[{containerPort: 80, name: a}, {containerPort: 81, name: a}]",
            )],
            &["spec.template.spec.containers[0].ports[1].name: \"a\" is the name of another port; name it otherwise"],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.ports",
                "[{containerPort: 80, hostPort: 80}, {containerPort: 81, hostPort: 80}]",
            )],
            &[
                "spec.template.spec.containers[0].ports[1].hostPort: 80 is taken by another port of this pod; write a free one",
            ],
        ),
        one(
            &[
                ("spec.template.spec.hostNetwork", "true"),
                ("spec.template.spec.containers.0.ports", "[{containerPort: 80, hostPort: 81}]"),
            ],
            &[
                "spec.template.spec.containers[0].ports[0].hostPort: 81 differs from containerPort on the host's network; write the same number as containerPort, or remove it",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.imagee", "web:2")],
            &["spec.template.spec.containers[0].imagee: is not a field of Kubernetes 1.36; did you mean image?"],
        ),
        one(
            &[("spec.template.spec.ephemeralContainers", "[{name: debug}]")],
            &[
                "spec.template.spec.ephemeralContainers: can't be part of a template; remove it; kubectl debug adds one to a pod",
            ],
        ),
    ];
    check(GOOD, ROWS);
}

#[test]
fn environment_volumes_and_resources() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.template.spec.containers.0.env.0", "{name: PORT, value: 8080}")],
            &["spec.template.spec.containers[0].env[0].value: (hidden) is not text; write text"],
        ),
        one(
            &[("spec.template.spec.containers.0.env.0", "{name: 'A=B', value: x}")],
            &[
                "spec.template.spec.containers[0].env[0].name: \"A=B\" is not a variable name; use letters, digits, \"_\", \"-\" and \".\"",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.env.0",
                "{name: A, value: x, valueFrom: {fieldRef: {fieldPath: a}, secretKeyRef: {name: s, key: k}}}",
            )],
            &[
                "spec.template.spec.containers[0].env[0]: has both value and valueFrom; keep one of the two",
                "spec.template.spec.containers[0].env[0].valueFrom: names fieldRef and secretKeyRef; keep one of them",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.env.0", "{name: A, valueFrom: {}}")],
            &[
                "spec.template.spec.containers[0].env[0].valueFrom: names no source; write fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef or fileKeyRef",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.env.0", "{name: A, valueFrom: {secretKeyRef: {name: s}}}")],
            &["spec.template.spec.containers[0].env[0].valueFrom.secretKeyRef.key: is required; name the key in it"],
        ),
        one(
            &[("spec.template.spec.containers.0.env.0", "MODE=fast")],
            &[
                "spec.template.spec.containers[0].env[0]: \"MODE=fast\" is text, not an object; write fields below it, such as name, value or valueFrom",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.envFrom",
                "[{}, {configMapRef: {name: a}, secretRef: {name: b}}, {secretRef: {}}]",
            )],
            &[
                "spec.template.spec.containers[0].envFrom[0]: names no source; write configMapRef or secretRef",
                "spec.template.spec.containers[0].envFrom[1]: names two sources; keep one, and write the other as an item of its own",
                "spec.template.spec.containers[0].envFrom[2].secretRef.name: is required; name the object",
            ],
        ),
        one(
            &[("spec.template.spec.volumes", "[{name: data, emptyDir: {}, secret: {secretName: s}}]")],
            &["spec.template.spec.volumes[0]: has the sources emptyDir and secret; keep one of them"],
        ),
        one(
            &[("spec.template.spec.volumes", "[{name: data, configMap: {}}, {name: data}]")],
            &[
                "spec.template.spec.volumes[0].configMap.name: is required; name the ConfigMap",
                "spec.template.spec.volumes[1].name: \"data\" is the name of another volume; name it otherwise",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.volumeMounts", "[{name: date, mountPath: /data}]")],
            &[
                "spec.template.spec.containers[0].volumeMounts[0].name: \"date\" is not a volume of this pod; add it to the pod's volumes, or write data",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.volumeMounts",
                "[{name: data, mountPath: /data}, {name: data, mountPath: /data}]",
            )],
            &[
                "spec.template.spec.containers[0].volumeMounts[1].mountPath: \"/data\" is where another volume is mounted; mount one of the two elsewhere",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.volumeMounts",
                "[{name: data, mountPath: /x, subPath: ../x, subPathExpr: z}]",
            )],
            &[
                "spec.template.spec.containers[0].volumeMounts[0].subPath: \"../x\" climbs out of the volume; write a path without ..",
                "spec.template.spec.containers[0].volumeMounts[0].subPathExpr: can't be combined with subPath; keep one of the two",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.resources.requests.cpu", "lots")],
            &[
                "spec.template.spec.containers[0].resources.requests.cpu: \"lots\" is not a quantity; write one like 500m, 2, 1.5Gi or 1e3",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.resources.requests.memory", "1Gi")],
            &[
                "spec.template.spec.containers[0].resources.requests.memory: \"1Gi\" is more than the limit of 128Mi; lower the request or raise the limit",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.resources.requests.memory", "-1")],
            &[
                "spec.template.spec.containers[0].resources.requests.memory: \"-1\" is less than nothing; write 0 or more",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.resources.requests", "{mem: 1Gi}")],
            &[
                "spec.template.spec.containers[0].resources.requests.mem: is not a resource that a container can ask for; write memory",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.resources",
                "{requests: {nvidia.com/gpu: 1}, limits: {nvidia.com/gpu: 2}}",
            )],
            &[
                "spec.template.spec.containers[0].resources.requests[\"nvidia.com/gpu\"]: \"1\" differs from the limit of 2, and nvidia.com/gpu can't be shared; write the limit",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.resources", "{cpu: 1}")],
            &[
                "spec.template.spec.containers[0].resources.cpu: is not a field of Kubernetes 1.36; the fields here are claims, limits and requests",
            ],
        ),
    ];
    check(GOOD, ROWS);
}

#[test]
fn probes_and_placement() {
    const ROWS: &[Row] = &[
        one(
            &[("spec.template.spec.containers.0.readinessProbe", "{}")],
            &[
                "spec.template.spec.containers[0].readinessProbe: does not say what to ask; write exec, httpGet, tcpSocket or grpc",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.readinessProbe", "{httpGet: {port: 80}, exec: {command: [ls]}}")],
            &["spec.template.spec.containers[0].readinessProbe: has exec and httpGet; keep one of them"],
        ),
        one(
            &[("spec.template.spec.containers.0.readinessProbe", "{httpGet: {path: /}}")],
            &[
                "spec.template.spec.containers[0].readinessProbe.httpGet.port: is required; write the port's number or name",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.readinessProbe",
                "{httpGet: {port: 0, scheme: http}, periodSeconds: -1}",
            )],
            &[
                "spec.template.spec.containers[0].readinessProbe.httpGet.port: 0 is not a port; write 1 to 65535",
                "spec.template.spec.containers[0].readinessProbe.httpGet.scheme: \"http\" is not known here; write HTTP or HTTPS",
                "spec.template.spec.containers[0].readinessProbe.periodSeconds: -1 is less than 0; write 1 or more",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.livenessProbe", "{exec: {}, successThreshold: 2}")],
            &[
                "spec.template.spec.containers[0].livenessProbe.exec.command: is required; write the command and its arguments as a list",
                "spec.template.spec.containers[0].livenessProbe.successThreshold: 2 can't be used in a livenessProbe; write 1",
            ],
        ),
        one(
            &[(
                "spec.template.spec.containers.0.readinessProbe",
                "{tcpSocket: {port: 80}, terminationGracePeriodSeconds: 5}",
            )],
            &[
                "spec.template.spec.containers[0].readinessProbe.terminationGracePeriodSeconds: can't be set in a readinessProbe, which ends nothing; remove it",
            ],
        ),
        one(
            &[("spec.template.spec.initContainers.0.readinessProbe", "{tcpSocket: {port: 80}}")],
            &[
                "spec.template.spec.initContainers[0].readinessProbe: can't be set on an init container, which ends; remove it, or write restartPolicy: Always to make the container a sidecar",
            ],
        ),
        one(
            &[("spec.template.spec.containers.0.lifecycle", "{preStop: {}}")],
            &[
                "spec.template.spec.containers[0].lifecycle.preStop: does not say what to ask; write exec, httpGet, tcpSocket or sleep",
            ],
        ),
        one(
            &[("spec.template.spec.restartPolicy", "OnFailure")],
            &["spec.template.spec.restartPolicy: \"OnFailure\" can't be used for pods that are replaced; write Always"],
        ),
        one(
            &[
                ("spec.template.spec.activeDeadlineSeconds", "5"),
                ("spec.template.spec.terminationGracePeriodSeconds", "-1"),
            ],
            &[
                "spec.template.spec.activeDeadlineSeconds: can't be set for pods that are replaced; remove it",
                "spec.template.spec.terminationGracePeriodSeconds: -1 is less than 0; write how many seconds a pod gets to end",
            ],
        ),
        one(
            &[("spec.template.spec.dnsPolicy", "None")],
            &["spec.template.spec.dnsConfig.nameservers: is required with dnsPolicy None; name at least one server"],
        ),
        one(
            &[(
                "spec.template.spec.tolerations",
                "[{value: a}, {key: a, operator: Exists, value: b}, {key: a, effect: Evict, tolerationSeconds: 5}]",
            )],
            &[
                "spec.template.spec.tolerations[0].key: is required; name the taint's key, or write operator: Exists to tolerate all",
                "spec.template.spec.tolerations[1].value: has no meaning with operator Exists; remove it, or write operator: Equal",
                "spec.template.spec.tolerations[2].effect: \"Evict\" is not known here; write NoSchedule, PreferNoSchedule or NoExecute",
                "spec.template.spec.tolerations[2].tolerationSeconds: has a meaning with effect NoExecute only; write that effect, or remove it",
            ],
        ),
        one(
            &[(
                "spec.template.spec.affinity",
                "{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}]}]}}, podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, podAffinityTerm: {topologyKey: ''}}]}}",
            )],
            &[
                "spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: is required with In and NotIn; write at least one value",
                "spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: is required; name a node label such as kubernetes.io/hostname",
                "spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: 0 is out of range; write 1 to 100",
            ],
        ),
        one(
            &[(
                "spec.template.spec.topologySpreadConstraints",
                "[{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: Never}]",
            )],
            &[
                "spec.template.spec.topologySpreadConstraints[0].maxSkew: 0 is less than 1; write 1 or more",
                "spec.template.spec.topologySpreadConstraints[0].whenUnsatisfiable: \"Never\" is not known here; write DoNotSchedule or ScheduleAnyway",
            ],
        ),
        one(
            &[("spec.template.spec.nodeSelector", "{disk: 'solid state'}")],
            &[
                "spec.template.spec.nodeSelector.disk: \"solid state\" is not a label value; write letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
            ],
        ),
        one(
            &[("spec.template.metadata.annotations", "{port: 8080}")],
            &["spec.template.metadata.annotations.port: 8080 is not text; write \"8080\""],
        ),
        one(
            &[("spec.template", "pod")],
            &["spec.template: \"pod\" is text, not an object; write fields below it, such as metadata or spec"],
        ),
    ];
    check(GOOD, ROWS);
}

#[test]
fn what_runs_on_kubernetes_is_no_mistake() {
    const CHANGES: &[(&str, &str)] = &[
        ("spec.template.spec.containers.0.securityContext", "{privileged: true, allowPrivilegeEscalation: false}"),
        (
            "spec.template.spec.containers.0.resources",
            "{requests: {cpu: 0.5, memory: 1e3, example.com/fpga: 1}, limits: {cpu: 1}}",
        ),
        ("spec.template.spec.volumes", "[{name: data}]"),
        ("spec.template.spec.containers.0.env.0", "{name: A, value: ''}"),
        ("spec.template.spec.containers.0.env.0", "{name: my.var-1}"),
        (
            "spec.template.spec.initContainers.0",
            "{name: mesh, image: mesh, restartPolicy: Always, startupProbe: {tcpSocket: {port: 1}}}",
        ),
        ("spec.template.spec.tolerations", "[{operator: Exists}]"),
        (
            "spec.template.spec.containers.0.ports",
            "[{containerPort: 53, protocol: UDP, hostPort: 53}, {containerPort: 53, hostPort: 53}]",
        ),
        ("spec.template.metadata.creationTimestamp", "null"),
        (
            "spec.template.spec.securityContext",
            "{runAsNonRoot: true, fsGroup: 1000, seccompProfile: {type: RuntimeDefault}}",
        ),
        ("spec.template.spec.containers.0.livenessProbe", "{grpc: {port: 9000}, periodSeconds: 0}"),
        ("spec.template.spec.restartPolicy", "Always"),
        ("spec.template.spec.containers.0.volumeMounts", "[{name: data, mountPath: 'C:\\data'}]"),
        ("spec.template.spec.containers.0.image", "'{{ not ours to judge }}'"),
    ];
    for (path, change) in CHANGES {
        let mut manifest = yaml(GOOD);
        set(&mut manifest, path, yaml(change));
        assert_eq!(sentences(&manifest), Vec::<String>::new(), "{path}: {change}");
    }
}
