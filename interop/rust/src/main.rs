//! Burns CPU in two functions, one of them under a label, with Pyroscope's profiler for Rust.

use std::hint::black_box;
use std::time::Duration;

use pyroscope::backend::{pprof_backend, BackendConfig, PprofConfig};
use pyroscope::pyroscope::PyroscopeAgentBuilder;

/// User and system time of this process, from /proc: ticks of 10 ms.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc/self/stat");
    let fields: Vec<&str> = stat[stat.rfind(')').expect("a name")..].split(' ').collect();
    let ticks = |index: usize| fields[index].parse::<f64>().expect("ticks");
    (ticks(12) + ticks(13)) / 100.0
}

/// Works until the process has used so much CPU time: a busy machine makes it longer, not different.
#[inline(never)]
fn burn(until: f64) -> f64 {
    let mut sum = 0.0;
    while cpu_seconds() < until {
        for i in 1..1_000_000 {
            let x = f64::from(i);
            sum += black_box(x).sqrt() * x.sin();
        }
    }
    sum
}

#[inline(never)]
fn hot_checkout(until: f64) -> f64 {
    black_box(burn(until) + 1.0)
}

#[inline(never)]
fn cold_search(until: f64) -> f64 {
    black_box(burn(until) + 2.0)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds: f64 = arguments[3].parse()?;
    let agent = PyroscopeAgentBuilder::new(
        &arguments[1],
        &arguments[2],
        100,
        "pyroscope-rs",
        "2.1.5",
        pprof_backend(PprofConfig::default(), BackendConfig::default()),
    )
    .tags(vec![("region", "eu")])
    .upload_interval(Duration::from_secs(1))
    .build()?
    .start()?;
    let (add_tag, remove_tag) = agent.tag_wrapper();
    let start = cpu_seconds();
    add_tag("route".into(), "/checkout".into())?;
    black_box(hot_checkout(start + seconds * 0.75));
    remove_tag("route".into(), "/checkout".into())?;
    black_box(cold_search(start + seconds));
    std::thread::sleep(Duration::from_millis(1500));
    agent.stop()?.shutdown();
    println!("{{\"cpuSeconds\":{seconds}}}");
    Ok(())
}
