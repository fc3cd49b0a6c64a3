"""From estimate, bound and claim to agree, disagree or undecided; and the classic relative error."""
