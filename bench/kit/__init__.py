"""What the benchmarks share: servers, one load generator, the bare loop, arithmetic, plots."""
