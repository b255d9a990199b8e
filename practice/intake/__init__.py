"""The intake, its instruments, assessments and risk flags."""
