turns = exists("turns") ? turns : 3
set polar
unset border
unset tics
set samples 400
plot [0:2*pi*turns] t*(1 + 0.2*sin(frame*0.5 + 5*t)) notitle linewidth 2
