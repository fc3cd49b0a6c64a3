"""What `fastgrad demo` shows. Each module has a run(n_jobs) that prints and returns whether all went well."""
