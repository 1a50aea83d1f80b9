//! Images that can't be pulled.

use serde_json::json;

use crate::life::Life;

#[test]
fn a_missing_image_is_pulled_again_and_again_with_growing_delay() {
    let mut life = Life::of("{spec: {containers: [{name: main, image: 'shop/web:does-not-exist'}]}}");
    life.until("80s").shows(&[
        "0s 0/1 ErrImagePull 0",
        "1s 0/1 ImagePullBackOff 0",
        "10s 0/1 ErrImagePull 0",
        "11s 0/1 ImagePullBackOff 0",
        "30s 0/1 ErrImagePull 0",
        "31s 0/1 ImagePullBackOff 0",
        "70s 0/1 ErrImagePull 0",
        "71s 0/1 ImagePullBackOff 0",
    ]);
    let main = life.container("main");
    assert_eq!(life.pod["status"]["phase"], "Pending");
    assert_eq!(main["image"], "shop/web:does-not-exist");
    assert_eq!(main["imageID"], "");
    assert_eq!(main["state"]["waiting"]["message"], "Back-off pulling image \"shop/web:does-not-exist\"");
    assert_eq!(life.reasons()[..5], ["Pulling", "Failed", "Failed", "BackOff", "Failed"]);
}

#[test]
fn a_corrected_image_is_pulled_at_the_next_attempt() {
    let mut life = Life::of("{spec: {containers: [{name: main, image: 'shop/web:does-not-exist'}]}}");
    life.until("5s");
    life.change(|pod| pod["spec"]["containers"][0]["image"] = json!("shop/web:1"));
    life.until("60s").shows(&["0s 0/1 ErrImagePull 0", "1s 0/1 ImagePullBackOff 0", "10s 1/1 Running 0 ready"]);
}

#[test]
fn an_invalid_image_name_waits_for_ever() {
    let mut life = Life::of("{spec: {containers: [{name: main, image: 'Shop Web'}]}}");
    life.until("1h").shows(&["0s 0/1 InvalidImageName 0"]);
    assert_eq!(life.reasons(), ["InspectFailed", "Failed"]);
}

#[test]
fn a_missing_image_does_not_keep_its_neighbours_from_starting() {
    let mut life = Life::of("{spec: {containers: [{name: bad, image: 'x:missing'}, {name: good}]}}");
    life.until("5s").shows(&["0s 1/2 ErrImagePull 0", "1s 1/2 ImagePullBackOff 0"]);
    assert_eq!(life.container("good")["ready"], true);
    assert_eq!(life.pod["status"]["phase"], "Pending");
}
