//! The input of `bench/run`, one large template and the lock file that answers its images, and
//! for `bench/registries` a registry with [`images`], a [`delay`] and what its [clients](client)
//! have in common.
//!
//! Template and lock file are made, not kept: the same bytes every time, without a clock and without chance.

pub mod client;
pub mod delay;
pub mod images;
pub mod measure;
pub mod plan;

use std::error::Error;

use registry::{ImageReference, LockFile};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};
use taskdef::image::{ImageConfig, Platform};

/// How many task definitions the template has, each with one container.
pub const TASK_DEFINITIONS: usize = 2_000;

/// A CloudFormation template whose containers each have an image of their own, and leave entry
/// point and command to it.
///
/// Written on one line, as the AWS CDK writes large templates
/// (`suppressTemplateIndentation`).
///
/// # Errors
/// None in practice: writing to memory does not fail.
pub fn template() -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(serde_json::to_vec(&document())?)
}

/// The same as [`template`], indented by one space, as the AWS CDK does by default.
///
/// # Errors
/// None in practice: writing to memory does not fail.
pub fn indented_template() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b" ");
    document().serialize(&mut Serializer::with_formatter(&mut text, formatter))?;
    Ok(text)
}

fn document() -> Value {
    let resources: Map<String, Value> = (0..TASK_DEFINITIONS)
        .map(|number| (format!("Service{number:04}"), task_definition(number)))
        .collect();
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": resources,
    })
}

/// A lock file with an entry for each image of [`template`].
///
/// # Errors
/// None in practice: the references are well formed.
pub fn lock_file() -> Result<LockFile, Box<dyn Error>> {
    let mut lock = LockFile::new("outrigger.lock");
    for number in 0..TASK_DEFINITIONS {
        let config = ImageConfig {
            digest: Some(format!("sha256:{number:064x}")),
            entrypoint: vec!["/docker-entrypoint.sh".to_owned()],
            cmd: ["node", "--enable-source-maps", "server.js"]
                .map(str::to_owned)
                .to_vec(),
            user: String::new(),
            working_dir: "/srv/app".to_owned(),
        };
        let reference = ImageReference::parse(&image(number))?;
        lock.insert(&reference, (&Platform::LinuxAmd64).into(), config);
    }
    Ok(lock)
}

fn image(number: usize) -> String {
    format!(
        "registry.example/shop/service-{number:04}:1.{}.{}",
        number % 40,
        number % 7
    )
}

/// A task definition of one container with its own image.
pub fn task_definition(number: usize) -> Value {
    let family = format!("shop-{number:04}");
    json!({
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {
            "Family": family,
            "Cpu": "256",
            "Memory": "512",
            "NetworkMode": "awsvpc",
            "RequiresCompatibilities": ["FARGATE"],
            "ExecutionRoleArn": "arn:aws:iam::123456789012:role/shop-execution",
            "ContainerDefinitions": [{
                "Name": "app",
                "Image": image(number),
                "Essential": true,
                "PortMappings": [{ "ContainerPort": 8000 + number % 1000 }],
                "Environment": [
                    { "Name": "STAGE", "Value": "production" },
                    { "Name": "LOG_LEVEL", "Value": "info" },
                    { "Name": "DB_HOST", "Value": format!("db-{}.shop.example", number % 25) },
                ],
                "LogConfiguration": {
                    "LogDriver": "awslogs",
                    "Options": {
                        "awslogs-group": format!("/shop/{family}"),
                        "awslogs-region": { "Ref": "AWS::Region" },
                        "awslogs-stream-prefix": "app",
                    },
                },
            }],
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use registry::Locked;
    use serde_json::Value;
    use taskdef::image::{Credentials, ImageRequest, Platform};

    use super::{TASK_DEFINITIONS, image, indented_template, lock_file, template};

    #[test]
    fn the_template_is_large_and_the_same_every_time() {
        let text = template().unwrap();
        assert!(
            (1_350_000..1_450_000).contains(&text.len()),
            "{} bytes",
            text.len()
        );
        assert_eq!(template().unwrap(), text);
        let document: Value = serde_json::from_slice(&text).unwrap();
        let indented = indented_template().unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&indented).unwrap(),
            document
        );
        let resources = document["Resources"].as_object().unwrap();
        assert_eq!(resources.len(), TASK_DEFINITIONS);
    }

    #[test]
    fn the_lock_file_answers_every_image() {
        let requests: BTreeSet<ImageRequest> = (0..TASK_DEFINITIONS)
            .map(|number| ImageRequest {
                reference: image(number),
                platform: Platform::LinuxAmd64,
                credentials: Credentials::Unstated,
            })
            .collect();
        assert_eq!(requests.len(), TASK_DEFINITIONS);
        let answers = Locked::new(lock_file().unwrap()).answers(&requests);
        assert!(answers.values().all(Result::is_ok));
    }
}
