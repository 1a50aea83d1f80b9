//! Reading and changing a template leaves alone what it does not name.

use serde_json::{Value, json};
use sluice_crds::template::{Container, PodTemplate};

fn template() -> Value {
    json!({
        "metadata": {"labels": {"app": "web", "odd": 5}, "annotations": {"note": "x"}, "future": true},
        "spec": {
            "containers": [{"name": "web", "image": "web:1", "future": [1]}, {"name": "side"}, "not a container"],
            "initContainers": [{"name": "migrate", "image": "tool:1"}],
            "future": {"a": 0.1, "b": 1e300, "c": null, "d": 18_446_744_073_709_551_615_u64},
        },
        "future": "kept",
    })
}

#[test]
fn what_nobody_knows_survives_a_round_trip() {
    let text = template().to_string();
    let read: PodTemplate = serde_json::from_str(&text).expect("any JSON is a template");
    assert_eq!(serde_json::to_string(&read).ok(), Some(text));
    assert_eq!(read.into_json(), template());
}

#[test]
fn labels_images_and_containers_are_found() {
    let template = PodTemplate::from(template());
    assert_eq!(template.label("app"), Some("web"));
    assert_eq!(template.labels().into_iter().collect::<Vec<_>>(), [("app".to_owned(), "web".to_owned())]);
    assert_eq!(template.annotation("note"), Some("x"));
    assert_eq!(template.annotations().len(), 1);
    assert_eq!(template.containers().filter_map(Container::name).collect::<Vec<_>>(), ["web", "side"]);
    assert_eq!(template.init_containers().filter_map(Container::image).collect::<Vec<_>>(), ["tool:1"]);
    assert_eq!(template.images().collect::<Vec<_>>(), ["web:1"]);
    assert_eq!(template.container("web").and_then(|web| web.fields().get("future")), Some(&json!([1])));
    assert_eq!(template.container("migrate").and_then(Container::image), Some("tool:1"));
    assert_eq!(template.container("nobody"), None);
}

#[test]
fn a_change_touches_only_what_it_names() {
    let mut expected = template();
    expected["metadata"]["labels"]["hash"] = json!("abc");
    expected["metadata"]["annotations"]["why"] = json!("because");
    expected["spec"]["containers"][0]["image"] = json!("web:2");
    let mut changed = PodTemplate::from(template()).with_label("hash", "abc").with_annotation("why", "because");
    assert!(changed.set_image("web", "web:2"));
    assert_eq!(changed.as_json(), &expected);
    assert!(changed.set_image("migrate", "tool:2") && !changed.set_image("nobody", "x"));
    let back = changed.without_label("hash").without_annotation("why").without_label("never there");
    assert_eq!(back.as_json()["metadata"], template()["metadata"]);
}

#[test]
fn a_template_of_any_shape_can_be_read_and_labelled() {
    let shapes = [
        json!(null),
        json!([]),
        json!("text"),
        json!({"metadata": null}),
        json!({"metadata": {"labels": []}, "spec": 5}),
        json!({"spec": {"containers": {}, "initContainers": null}}),
    ];
    for shape in shapes {
        let mut template = PodTemplate::from(shape.clone());
        assert!(template.labels().is_empty() && template.images().next().is_none(), "{shape}");
        assert!(!template.set_image("a", "b"));
        assert_eq!(template.clone().without_label("a").as_json(), &shape);
        assert_eq!(template.with_label("a", "b").label("a"), Some("b"), "{shape}");
    }
    assert_eq!(PodTemplate::default().as_json(), &json!({}));
}
