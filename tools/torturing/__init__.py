"""What `tools/torture` is made of: load, disks, a judge that believes only the log, and the faults."""
