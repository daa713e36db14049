"""Words and the little grammar that the other rooms share."""
