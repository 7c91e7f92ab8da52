"""From cuts to hit points, and from hit points to tempo maps whose beats land on them."""
