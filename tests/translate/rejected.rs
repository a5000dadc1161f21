//! Files that are not what they should be: one clear line each, with the place, and the exit code of sysexits.h.

use std::fs;
use std::os::unix::fs::symlink;

use unsinkable::translate::run::translate;

use super::Folder;

/// The lines on stderr with `DIR` for the folder, and the exit code.
fn refused(folder: &Folder, path: &str) -> (Vec<String>, u8) {
    let output = translate(&[path.to_owned()], false);
    let folder = folder.0.to_str().expect("a plain path");
    (output.errors.iter().map(|line| line.replace(folder, "DIR")).collect(), output.exit)
}

#[test]
fn bad_files_get_one_line_with_the_place() {
    let folder = Folder::new("bad");
    let cases: [(&str, &[u8], &str); 11] = [
        (
            "open.conf",
            b"global_defs {\n}\nvrrp_instance A {\n priority 1\n",
            "DIR/open.conf:3: the { of vrrp_instance is never closed",
        ),
        ("shut.conf", b"global_defs {\n}\n}\n", "DIR/shut.conf:3: this } closes nothing"),
        ("bare.conf", b"\n{\n}\n", "DIR/bare.conf:2: this { has no name before it"),
        (
            "quote.conf",
            b"vrrp_script a {\n script \"pgrep x\n}\n",
            "DIR/quote.conf:2: a quote is opened here and not closed on this line",
        ),
        ("deep.conf", &b"a {\n".repeat(20), "DIR/deep.conf:17: too many { in one another"),
        ("bytes.conf", b"global_defs {\n\xff\xfe\n}\n", "DIR/bytes.conf:2: is no text (UTF-8)"),
        ("zero.conf", b"global_defs {\n}\n\0", "DIR/zero.conf:3: is no text: it holds a zero byte"),
        (
            "tab.yml",
            b"services:\n\tweb: 1\n",
            "DIR/tab.yml:2: is no YAML: found character that cannot start any token",
        ),
        ("flow.yml", b"services: [a, b\n", "DIR/flow.yml:1: is no YAML: did not find expected ',' or ']'"),
        ("alias.yml", b"services:\n  a: *nobody\n", "DIR/alias.yml:2: no &nobody comes before this"),
        ("run.txt", b"docker run -e 'A=b\n", "DIR/run.txt:1: a quote is opened here and never closed"),
    ];
    for (name, bytes, why) in cases {
        let path = folder.file(name, bytes);
        assert_eq!(refused(&folder, &path), (vec![why.to_owned()], 65), "{name}");
    }
}

#[test]
fn variables_of_variables_and_lists_in_lists_have_an_end() {
    let folder = Folder::new("growing");
    let doubled: String = (1..40).map(|at| format!("$V{at}=$V{0}$V{0}\n", at - 1)).collect();
    let path = folder.file("vars.conf", format!("$V0=xxxxxxxx\n{doubled}"));
    assert_eq!(refused(&folder, &path), (vec!["DIR/vars.conf:14: this line is too long".to_owned()], 65));
    let path = folder.file("deep.yml", format!("services: {}", "[".repeat(5000)));
    assert_eq!(refused(&folder, &path), (vec!["DIR/deep.yml:1: is nested too deep".to_owned()], 65));
    let path = folder.file("long.conf", "vrrp_x\n".repeat(6000));
    let why = "DIR/long.conf:1: more than 5000 statements: is it what it should be?".to_owned();
    assert_eq!(refused(&folder, &path), (vec![why], 65));
    // A billion laughs: each alias is shared, and stays small.
    let laughs: String = (1..30).map(|at| format!("x{at}: &x{at} [*x{0}, *x{0}]\n", at - 1)).collect();
    let path = folder.file("laughs.yml", format!("x0: &x0 ha\n{laughs}services: {{}}\n"));
    assert_eq!(refused(&folder, &path), (vec![], 0));
}

#[test]
fn includes_are_followed_and_end() {
    let folder = Folder::new("includes");
    let path = folder.file("self.conf", "include self.conf\n");
    assert_eq!(
        refused(&folder, &path),
        (vec!["DIR/self.conf:1: includes more than 8 files deep: is it an endless include?".to_owned()], 65)
    );
    folder.file("many-1.inc", "include many-*.inc\n");
    folder.file("many-2.inc", "include many-*.inc\n");
    let path = folder.file("many.conf", "\ninclude many-*.inc\n");
    let (errors, exit) = refused(&folder, &path);
    assert_eq!(exit, 65);
    assert!(errors[0].contains("is it an endless include?"), "{errors:?}");
    let path = folder.file("gone.conf", "global_defs {\n}\ninclude nowhere/*.conf\n");
    assert_eq!(
        refused(&folder, &path),
        (vec!["DIR/gone.conf:3: include nowhere/*.conf: there is no such file".to_owned()], 66)
    );
}

#[test]
fn what_cannot_be_read_is_66() {
    let folder = Folder::new("unreadable");
    let missing = folder.0.join("none.conf");
    let missing = missing.to_str().expect("a plain path");
    assert_eq!(
        refused(&folder, missing),
        (vec!["DIR/none.conf:1: No such file or directory (os error 2)".to_owned()], 66)
    );
    fs::create_dir(folder.0.join("folder.conf")).unwrap();
    let path = folder.0.join("folder.conf");
    let wrong = refused(&folder, path.to_str().unwrap());
    assert_eq!(wrong, (vec!["DIR/folder.conf:1: is no regular file".to_owned()], 66));
    // 100 MB, none of them on the disk.
    let path = folder.file("large.conf", "");
    fs::File::options().write(true).open(&path).unwrap().set_len(100 << 20).unwrap();
    let wrong = refused(&folder, &path);
    assert_eq!(
        wrong,
        (vec!["DIR/large.conf:1: has more than 1 MB: no configuration file has".to_owned()], 66)
    );
    symlink("/dev/zero", folder.0.join("zero.conf")).unwrap();
    let path = folder.0.join("zero.conf");
    let wrong = refused(&folder, path.to_str().unwrap());
    assert_eq!(wrong, (vec!["DIR/zero.conf:1: is no regular file".to_owned()], 66));
    let path = folder
        .file("compose.yml", "services:\n  a:\n    image: meltwater/docker-cleanup\n    env_file: x.env\n");
    let wrong = refused(&folder, &path);
    assert_eq!(
        wrong,
        (vec!["DIR/compose.yml:4: DIR/x.env: No such file or directory (os error 2)".to_owned()], 66)
    );
}

#[test]
fn one_bad_file_does_not_hide_the_others() {
    let folder = Folder::new("beside");
    let bad = folder.file("bad.conf", "}\n");
    let good = folder.file("good.yml", "services:\n  s:\n    image: containrrr/shepherd:1.8.1\n");
    let output = translate(&[bad, good], false);
    assert_eq!((output.errors.len(), output.exit), (1, 65));
    assert!(output.text.ends_with("unsinkable update --dry-run \\\n  --update\n"), "{}", output.text);
}
