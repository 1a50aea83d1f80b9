//! How an API type is declared: one shape for all, so that no field forgets how it is read and written.

/// A field value that was not set; such a field is left out when it is written.
pub(crate) trait Unset {
    fn is_unset(&self) -> bool;
}

impl<T> Unset for Option<T> {
    fn is_unset(&self) -> bool {
        self.is_none()
    }
}

/// Only required texts (names) are bare strings; an empty one is the same as none.
impl Unset for String {
    fn is_unset(&self) -> bool {
        self.is_empty()
    }
}

/// What the API server needs to know of a kind besides its schema.
pub trait CustomKind: kube::Resource<DynamicType = ()> + schemars::JsonSchema {
    /// What people type, for example `ro`.
    const SHORT_NAME: &'static str;
    /// Whether objects live in a namespace.
    const NAMESPACED: bool;
}

/// Says of each of kube's scopes whether it is a namespace.
pub(crate) trait Namespaced {
    const NAMESPACED: bool;
}

impl Namespaced for kube::core::NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl Namespaced for kube::core::ClusterResourceScope {
    const NAMESPACED: bool = false;
}

/// Declares structs of the API. Each field is optional when read, is left out when it is not set,
/// and is written in camel case; field attributes (`serde`, `schemars`) are passed on.
macro_rules! api_types {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* pub $field:ident: $ty:ty ),* $(,)?
        }
    )+) => {$(
        #[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", default)]
        $(#[$meta])*
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::shape::Unset::is_unset")]
                pub $field: $ty,
            )*
        }
    )+};
}
pub(crate) use api_types;

/// Declares a text with known values. A value that this version doesn't know is kept as it is:
/// a stored object must stay readable, and validation says which values there are.
macro_rules! known_values {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $text:literal ),+ $(,)?
        }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name {
            $( $(#[$variant_meta])* $variant, )+
            /// A value that this version doesn't know.
            Other(String),
        }

        impl $name {
            /// The values with a meaning.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The value as it is written.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $( $text => Self::$variant, )+
                    _ => Self::Other(text),
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" })
            }
        }
    )+};
}
pub(crate) use known_values;

/// Declares a kind: the object as the API server stores it, and what there is to know about it.
macro_rules! custom_kind {
    (
        $(#[$meta:meta])*
        pub struct $kind:ident { spec: $spec:ty $(, status: $status:ty)? }
        names: $plural:literal, $short:literal, $scope:ident;
    ) => {
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase")]
        $(#[$meta])*
        pub struct $kind {
            /// Name, namespace, labels, annotations and what the API server adds.
            #[serde(default)]
            #[schemars(skip)]
            pub metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
            /// What is wanted.
            #[serde(default)]
            #[schemars(transform = crate::schema::mark::required)]
            pub spec: $spec,
            $(
                /// What is observed; written by the controller.
                #[serde(default)]
                pub status: Option<$status>,
            )?
        }

        impl $kind {
            /// An object of this name with this spec and nothing observed yet.
            pub fn new(name: &str, spec: $spec) -> Self {
                Self {
                    metadata: k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                        name: Some(name.to_owned()),
                        ..Default::default()
                    },
                    spec,
                    $( status: Option::<$status>::None, )?
                }
            }
        }

        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(serde::Serialize)]
                #[serde(rename_all = "camelCase")]
                struct Stored<'a> {
                    api_version: &'static str,
                    kind: &'static str,
                    metadata: &'a k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta,
                    spec: &'a $spec,
                    $(
                        #[serde(skip_serializing_if = "Option::is_none")]
                        status: Option<&'a $status>,
                    )?
                }
                Stored {
                    api_version: crate::shape::API_VERSION,
                    kind: stringify!($kind),
                    metadata: &self.metadata,
                    spec: &self.spec,
                    $( status: { let status: &Option<$status> = &self.status; status.as_ref() }, )?
                }
                .serialize(serializer)
            }
        }

        impl kube::Resource for $kind {
            type DynamicType = ();
            type Scope = kube::core::$scope;

            fn kind(_: &()) -> std::borrow::Cow<'_, str> {
                stringify!($kind).into()
            }
            fn group(_: &()) -> std::borrow::Cow<'_, str> {
                crate::shape::GROUP.into()
            }
            fn version(_: &()) -> std::borrow::Cow<'_, str> {
                crate::shape::VERSION.into()
            }
            fn plural(_: &()) -> std::borrow::Cow<'_, str> {
                $plural.into()
            }
            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }

        impl crate::shape::CustomKind for $kind {
            const SHORT_NAME: &'static str = $short;
            const NAMESPACED: bool = <kube::core::$scope as crate::shape::Namespaced>::NAMESPACED;
        }
    };
}
pub(crate) use custom_kind;

pub(crate) const GROUP: &str = "argoproj.io";
pub(crate) const VERSION: &str = "v1alpha1";
pub(crate) const API_VERSION: &str = "argoproj.io/v1alpha1";
