"""Every figure of the series: data in, a matplotlib figure with a text alternative out."""
