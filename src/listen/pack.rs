//! The build script: packs the page, which is text for people to read in the source and two thirds air in a binary.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const PAGE: &str = "src/listen/page.html";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={PAGE}");
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    let packed = File::create(Path::new(&folder).join("page.html.gz"))?;
    let mut packed = GzEncoder::new(packed, Compression::best());
    packed.write_all(&fs::read(PAGE)?)?;
    packed.finish().map(drop)
}
