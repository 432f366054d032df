"""
Certificates of service (志愿服务记录证明): 民政部令第67号 articles 14 to 17, 民发〔2015〕149号.

The rules this folder alone keeps:

1. A volunteer makes their own, whenever they like (twenty a day are enough for anybody) and for nothing; the desk makes one for somebody who asks for it
   there, which is written down as a look at their data. Nobody else gets one.
2. Only what counts on the day of issue is certified: approved, its publicity over, not frozen.
3. A certificate is numbered without gaps within a year, and never changed. One that is wrong is revoked, with a reason, by an approver or above, and
   another is made.
4. The recording unit of a service is whoever is recorded as having organised it, if it is registered; of a group that has only been filed (备案) it is the
   unit that guides it (articles 16 and 26). The issuing unit is the person's home station, or the nearest unit above it that still stands.
5. The document is sealed under the person's key, and gone when they are erased; what the register says follows from the log alone.
"""
