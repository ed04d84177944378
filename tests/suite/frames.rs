//! What the screen shows: snapshots at many sizes, and what must be true of every frame.

use crate::support::stage::{Stage, plain};
use crate::support::svg::{self, svg};
use nodeglass::ui::UiOptions;

#[test]
#[ignore = "writes pictures to look at"]
fn look() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("look");
    std::fs::create_dir_all(&dir).unwrap();
    let colour = UiOptions::default;
    let save = |name: &str, stage: &mut Stage, w: u16, h: u16| {
        let picture = svg(&stage.draw(w, h), svg::DARK, name);
        std::fs::write(dir.join(format!("{name}.svg")), picture).unwrap();
    };
    let mut blog = Stage::scale_out(95, colour());
    save("blog-160x44", &mut blog, 160, 44);
    save("blog-120x40", &mut blog, 120, 40);
    save("blog-80x24", &mut blog, 80, 24);
    save("blog-40x12", &mut blog, 40, 12);
    let mut fleet = Stage::demo(Some(60), 120, colour());
    save("fleet-200x60", &mut fleet, 200, 60);
    save("fleet-200x30", &mut fleet, 200, 30);
    save("fleet-120x40", &mut fleet, 120, 40);
    fleet.press(&["↓", "↓", "⏎"]);
    save("detail-160x50", &mut fleet, 160, 50);
    save("detail-80x30", &mut fleet, 80, 30);
    fleet.press(&["esc", "p"]);
    save("pools-140x30", &mut fleet, 140, 30);
    fleet.press(&["esc", "g"]);
    save("grouped-160x50", &mut fleet, 160, 50);
    fleet.press(&["?"]);
    save("help-120x50", &mut fleet, 120, 50);
    let mut light = Stage::demo(Some(60), 120, UiOptions { light: true, ..colour() });
    std::fs::write(dir.join("light.svg"), svg(&light.draw(160, 44), svg::LIGHT, "light")).unwrap();
    let mut none = Stage::demo(Some(60), 120, plain());
    save("plain-120x30", &mut none, 120, 30);
}
