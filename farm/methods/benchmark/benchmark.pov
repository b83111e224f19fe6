// What slaves are measured with. The frame's number turns everything, so no picture can be known beforehand.
#version 3.7;
global_settings { assumed_gamma 1 max_trace_level 12 }
#declare Turn = 2 * pi * clock * 997;
camera { location <0, 3.2, -7> look_at <0, 0.6, 0> angle 42 right x * image_width / image_height }
light_source { <6, 9, -7>, rgb 1.1 area_light <1.5, 0, 0>, <0, 1.5, 0>, 9, 9 }
light_source { <-8, 4, -3>, rgb <0.25, 0.3, 0.45> area_light <1, 0, 0>, <0, 1, 0>, 5, 5 }
sky_sphere { pigment { gradient y color_map { [0 rgb <0.9, 0.75, 0.6>] [0.4 rgb <0.25, 0.4, 0.7>] } } }
plane { y, 0
  pigment { checker rgb <0.85, 0.83, 0.8>, rgb <0.25, 0.27, 0.32> scale 0.8 }
  finish { reflection 0.2 }
}
#for (I, 0, 11)
  sphere { <2.2 * cos(Turn + I * pi / 6), 0.5 + 0.3 * abs(sin(2 * Turn + I)), 2.2 * sin(Turn + I * pi / 6)>, 0.42
    pigment { rgb <1, 0.72, 0.3> }
    finish { ambient 0.05 diffuse 0.5 specular 0.8 roughness 0.02 metallic reflection { 0.4 metallic } }
  }
#end
sphere { <0, 1.1, 0>, 1.05
  pigment { rgbt <0.95, 1, 1, 0.93> }
  finish { specular 0.9 roughness 0.002 reflection { 0.05, 0.9 fresnel } conserve_energy }
  interior { ior 1.45 }
}
