"""Everything that touches a wire or a clock."""
