"""GB/T 39786-2021 (商用密码应用): layers, units, the score of an assessment."""
