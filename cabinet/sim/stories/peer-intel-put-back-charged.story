# An item put back is not charged
scenario peer: Intel
ann comes
ann opens
ann takes nuts from s3
ann puts nuts back on s3
ann closes
expect nothing
expect total 0
