use super::super::sample;
use super::*;
#[test]
fn show() {
    for s in [sample::backup(), sample::master()] {
        for look in [
            Look::PLAIN,
            Look { colour: false, unicode: false, width: 60 },
            Look { colour: true, unicode: true, width: 80 },
        ] {
            println!("{}\n=====", draw(&s, &look));
        }
    }
}
