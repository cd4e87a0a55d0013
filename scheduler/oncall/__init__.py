"""The doctor on call on days without a doctor."""
