//! What the acceptance tests share: cases as folders, and small, independent
//! readings of ECS and CloudFormation to judge the product by.
//!
//! Nothing here calls the product's own merging or evaluation: a mistake there
//! must not hide itself. Only [`document`] uses the product's parser, because the
//! bytes are pinned by the expected files.

pub mod botocore;
pub mod case;
pub mod cfn_lint;
pub mod cloudformation;
pub mod conditions;
pub mod document;
pub mod ecs;
pub mod images;
pub mod law;
pub mod lock;
pub mod outside;
pub mod page;
pub mod plan;
pub mod plugin;
pub mod process;
pub mod reports;
pub mod run;
pub mod servers;
pub mod shell;
pub mod stand_in;
pub mod terraform;
pub mod yaml;
