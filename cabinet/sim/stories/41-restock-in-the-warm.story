# A long restock has its thirty minutes of grace
scenario 41
tom serves to restock
tom opens
the air is 9 C
25 min pass
tom stocks 2 cola on s1
tom closes
expect serviced
the air is 4 C
expect in service
